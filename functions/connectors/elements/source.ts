import type { Codec } from '../../codec/codec.ts';
import { decodeValue, encodeValue } from '../../codec/value.ts';
import type { FeedSource } from '../source.ts';

const RECORDS_PER_READ = 1000;

/** Whatever a stream can carry arrives as it was given, dates and maps too: the topic is private, so nobody else has to read it. */
function anyValue<T>(): Codec<T> {
  return { name: 'value', encode: encodeValue, decode: (bytes) => decodeValue(bytes) as T };
}

/**
 * A bounded source of values held in memory. A feeder writes them to the source's topic, encoded by `value`.
 *
 * @throws MILLRACE_VALUE_NOT_ENCODABLE while it is read: for example a function, or an object of a class; give a codec.
 */
export function elementsSource<T>(values: Iterable<T>, value: Codec<T> = anyValue()): FeedSource<T> {
  const held = [...values];
  return Object.freeze({ kind: 'feed', name: 'elements', bounded: true, value, read: () => encodeInParts(held, value) });
}

async function* encodeInParts<T>(values: readonly T[], codec: Codec<T>): AsyncGenerator<readonly Uint8Array[]> {
  for (let from = 0; from < values.length; from += RECORDS_PER_READ) {
    yield values.slice(from, from + RECORDS_PER_READ).map((value) => codec.encode(value));
  }
}
