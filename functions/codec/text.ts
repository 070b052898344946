import { TextKind } from './value-format.ts';

/** A text as it will be written. */
export interface TextPlan {
  readonly kind: (typeof TextKind)[keyof typeof TextKind];
  readonly bytes: number;
}

/** The smallest form that gives the text back as it is. */
export function planText(text: string): TextPlan {
  if (text.length === 0) return { kind: TextKind.NONE, bytes: 0 };
  const utf8 = Buffer.byteLength(text);
  if (utf8 === text.length) return { kind: TextKind.ASCII, bytes: utf8 };
  return isWellFormed(text) ? { kind: TextKind.UTF8, bytes: utf8 } : { kind: TextKind.UTF16, bytes: 2 * text.length };
}

/** Writes the text as planned; returns the position behind it. */
export function writeText(target: Buffer, position: number, text: string, { kind, bytes }: TextPlan): number {
  if (kind === TextKind.ASCII) target.write(text, position, 'latin1');
  else if (kind === TextKind.UTF8) target.write(text, position, 'utf8');
  else if (kind === TextKind.UTF16) target.write(text, position, 'utf16le');
  return position + bytes;
}

/** False for a text with half of a surrogate pair, which UTF-8 would replace. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
