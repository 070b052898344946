import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A fenced block of a document. */
export interface Fence {
  readonly language: string;
  /** What stands behind the language: `file=orders.ts`, `run="millrace dev orders.ts"`. */
  readonly file: string | undefined;
  readonly run: string | undefined;
  readonly text: string;
  /** Line of the document that the text begins at, from 1. */
  readonly line: number;
}

export interface Document {
  readonly path: string;
  readonly text: string;
  readonly fences: readonly Fence[];
}

const FENCE = /^```(\w*)([^\n]*)\n([\s\S]*?)^```$/gm;

/** README.md, ARCHITECTURE.md, CONTRIBUTING.md, CHANGELOG.md and all of docs/. */
export function readDocuments(): Document[] {
  const docs = readdirSync('docs', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'));
  const paths = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...docs.map((name) => join('docs', name)).sort()];
  return paths.map(readDocument);
}

export function readDocument(path: string): Document {
  const text = readFileSync(path, 'utf8');
  return { path, text, fences: [...text.matchAll(FENCE)].map((match) => toFence(text, match)) };
}

function toFence(document: string, { index, 1: language = '', 2: info = '', 3: text = '' }: RegExpExecArray): Fence {
  const line = document.slice(0, index).split('\n').length + 1;
  return { language, text, line, file: /\bfile=(\S+)/.exec(info)?.[1], run: /\brun="([^"]+)"/.exec(info)?.[1] };
}

/** The rows of all tables whose head begins with `| <first> |`, cells trimmed; `\|` is no border. */
export function tableRows({ text }: Document, first: string): string[][] {
  const rows: string[][] = [];
  let inside = false;
  for (const line of text.split('\n')) {
    if (line.startsWith(`| ${first} |`)) inside = true;
    else if (!line.startsWith('|')) inside = false;
    else if (inside && !line.startsWith('| ---')) rows.push(toCells(line));
  }
  return rows;
}

function toCells(line: string): string[] {
  return line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());
}

/** The texts in backticks. */
export function codes(text: string): string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}
