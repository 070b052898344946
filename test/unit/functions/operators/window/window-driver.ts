import type { DataStream, KeyedStream, Stream } from '../../../../../functions/index.ts';
import { OperatorDriver } from '../operator-driver.ts';
import type { Reading } from './run-windows.ts';

/** One window operator on a state in memory. */
export class WindowDriver extends OperatorDriver {
  /** @param build - Gives the operator; the last one of what it records. */
  constructor(build: (keyed: KeyedStream<Reading, string>, all: Stream<Reading>) => DataStream<unknown>) {
    super((env) => {
      const readings = env.fromCollection<Reading>([]);
      build(
        readings.keyBy(({ key }) => key),
        readings,
      );
    });
  }

  add(reading: Reading): void {
    this.first(reading.key, reading.at, reading);
  }
}
