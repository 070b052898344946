import { MillraceError } from '../shared/errors.ts';

/** For JavaScript users: the types forbid anything else. @throws MILLRACE_OPTION_INVALID */
export function checkFunction<F>(operator: string, fn: F): F {
  if (typeof fn === 'function') return fn;
  throw new MillraceError('MILLRACE_OPTION_INVALID', `${operator}() needs a function and was given ${fn === null ? 'null' : typeof fn}`);
}
