import type { StandardSchemaV1 } from '@standard-schema/spec';
import { MillraceError } from '../shared/errors.ts';

/** Issues that are named in a message; the others are counted. */
const SHOWN_ISSUES = 5;

/** @throws MILLRACE_OPTION_INVALID for anything that is no Standard Schema. */
export function checkSchema(schema: unknown): asserts schema is StandardSchemaV1 {
  const isContainer = (typeof schema === 'object' && schema !== null) || typeof schema === 'function';
  const standard = isContainer ? (schema as { readonly '~standard'?: unknown })['~standard'] : undefined;
  if (typeof standard === 'object' && standard !== null && typeof (standard as { validate?: unknown }).validate === 'function') return;
  throw new MillraceError(
    'MILLRACE_OPTION_INVALID',
    'a schema has to follow the Standard Schema specification (it has a "~standard" property): zod ≥ 3.24, valibot ≥ 1.0, arktype ≥ 2.0 and others do.',
  );
}

/**
 * What the schema makes of the value.
 *
 * @throws MILLRACE_SCHEMA_MISMATCH with paths and messages of the first issues, or because it validates asynchronously.
 */
export function validate<S extends StandardSchemaV1>(schema: S, value: unknown): StandardSchemaV1.InferOutput<S> {
  const result = run(schema, value);
  if (isPromise(result)) {
    result.then(undefined, () => undefined); // nobody waits for it: its rejection must not end the process
    throw notSynchronous(schema);
  }
  if (result.issues === undefined) return result.value;
  throw new MillraceError(
    'MILLRACE_SCHEMA_MISMATCH',
    `the record does not match its ${schema['~standard'].vendor} schema: ${describeIssues(result.issues)}`,
  );
}

type Result = ReturnType<StandardSchemaV1['~standard']['validate']>;

function run(schema: StandardSchemaV1, value: unknown): Result {
  try {
    return schema['~standard'].validate(value);
  } catch (error) {
    throw new MillraceError(
      'MILLRACE_SCHEMA_MISMATCH',
      `the ${schema['~standard'].vendor} schema threw while it validated the record: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

function isPromise(result: Result): result is Promise<StandardSchemaV1.Result<unknown>> {
  return typeof (result as { then?: unknown }).then === 'function';
}

function describeIssues(issues: readonly StandardSchemaV1.Issue[]): string {
  const shown = issues.slice(0, SHOWN_ISSUES).map(({ path, message }) => (path?.length ? `${describePath(path)}: ${message}` : message));
  const more = issues.length - shown.length;
  return shown.join('; ') + (more > 0 ? `; and ${more} more` : '');
}

function describePath(path: NonNullable<StandardSchemaV1.Issue['path']>): string {
  const steps = path.map((step) => (typeof step === 'object' ? step.key : step));
  return steps.map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i > 0 ? '.' : ''}${String(step)}`)).join('');
}

/** Not an invalid option: it can depend on the record, because zod tries again asynchronously after a transformation has thrown. */
function notSynchronous({ '~standard': { vendor } }: StandardSchemaV1): MillraceError {
  return new MillraceError(
    'MILLRACE_SCHEMA_MISMATCH',
    `the ${vendor} schema did not validate the record synchronously: it has an asynchronous refinement or transformation, or one of them ` +
      'threw. Records are decoded synchronously: leave it out, and check it with an operator.',
  );
}
