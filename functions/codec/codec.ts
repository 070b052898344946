/** Turns values into bytes and back, for topics outside Millrace. Both directions are synchronous and pure. */
export interface Codec<T> {
  /** Printable name, for plans and messages. */
  readonly name: string;
  /** @throws MILLRACE_VALUE_NOT_ENCODABLE */
  encode(value: T): Uint8Array;
  /** @throws MILLRACE_DECODE_FAILED or MILLRACE_SCHEMA_MISMATCH */
  decode(bytes: Uint8Array): T;
}
