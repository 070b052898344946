import { type ErrorCode, isMillraceError, MillraceError } from '../../shared/errors.ts';
import { userOf } from './config.ts';
import { ZOOKEEPER_CODES } from './library.ts';

/** The server's code of an error, if it is the server's. */
export function serverCode(error: unknown): number | undefined {
  return (error as { readonly code?: unknown } | undefined)?.code as number | undefined;
}

/** What the failed request was to do, and who we are. */
export interface FailedRequest {
  readonly verb: string;
  readonly path: string;
  readonly isWrite: boolean;
  readonly auth: string | undefined;
}

/** Says a server's refusal in our codes. Errors that have one are given back as they are. */
export function toMillraceError(error: unknown, { verb, path, isWrite, auth }: FailedRequest): MillraceError {
  if (isMillraceError(error)) return error;
  const say = (code: ErrorCode, why: string): MillraceError =>
    new MillraceError(code, `ZooKeeper: to ${verb} ${path}: ${why}`, { cause: error });
  switch (serverCode(error)) {
    case ZOOKEEPER_CODES.noNode:
      return say('MILLRACE_CONFLICT', 'no such node');
    case ZOOKEEPER_CODES.badVersion:
      return say('MILLRACE_CONFLICT', 'it is at another version');
    case ZOOKEEPER_CODES.notEmpty:
      return say('MILLRACE_CONFLICT', 'it has children');
    case ZOOKEEPER_CODES.noChildrenForEphemerals:
      return say('MILLRACE_CONFLICT', 'its parent is ephemeral, and has no children');
    case ZOOKEEPER_CODES.nodeExists:
      return say('MILLRACE_NODE_EXISTS', 'it exists');
    case ZOOKEEPER_CODES.noAuth:
      return say('MILLRACE_NOT_AUTHORIZED', `its access list does not allow it to ${describeUser(auth)}`);
    case ZOOKEEPER_CODES.invalidAcl:
      return say('MILLRACE_AUTHENTICATION_FAILED', `the server does not know the session as that of ${describeUser(auth)}`);
    case ZOOKEEPER_CODES.badArguments:
      return say('MILLRACE_OPTION_INVALID', 'the server takes no such path');
    default:
      return say(isWrite ? 'MILLRACE_OUTCOME_UNKNOWN' : 'MILLRACE_CONNECTION_LOST', (error as Error).message);
  }
}

function describeUser(auth: string | undefined): string {
  return auth === undefined ? 'a session without a user (MILLRACE_ZOOKEEPER_AUTH is not set)' : `user ${userOf(auth)}`;
}
