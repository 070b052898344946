import { MillraceError } from '../shared/errors.ts';

/** What a function reads from its environment at cold start; below this nothing looks at `process.env`. */
export interface StageConfig {
  /** Adapter of the log: a name in the bundle's table. */
  readonly log: string;
  /** Adapter of the state store; `none` for a stage without a fence. */
  readonly state: string;
  /** Every n-th batch is run twice and compared; 0 = never. */
  readonly determinismEvery: number;
  /** Whether keys of a keyBy without a hop are published with the metrics of each batch. */
  readonly reportKeys: boolean;
}

export function parseStageConfig(env: Readonly<Record<string, string | undefined>>, isFenced: boolean): StageConfig {
  return {
    log: env['MILLRACE_LOG'] ?? 'embedded',
    state: isFenced ? (env['MILLRACE_STATE'] ?? 'embedded') : 'none',
    determinismEvery: parseCount('MILLRACE_DETERMINISM_EVERY', env['MILLRACE_DETERMINISM_EVERY'] ?? '0'),
    reportKeys: parseCount('MILLRACE_REPORT_KEYS', env['MILLRACE_REPORT_KEYS'] ?? '0') > 0,
  };
}

function parseCount(name: string, text: string): number {
  const count = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(count) && count >= 0) return count;
  throw new MillraceError('MILLRACE_CONFIG_INVALID', `${name} is '${text}'; a whole number from 0 is allowed`);
}
