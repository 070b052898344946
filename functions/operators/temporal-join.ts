import { OperatorTimers } from '../state/timer-service.ts';
import { windowText } from '../time/windows/window.ts';
import { eventTime } from './event-time.ts';
import type { Operator, OperatorSetup, TimerOperator } from './operator.ts';
import { synchronous } from './synchronous.ts';
import { VersionTable } from './version-table.ts';
import { ElementContents } from './window/element-contents.ts';
import { WindowTable } from './window/window-table.ts';

/**
 * Each record meets the version that was valid at its event time (Flink's TemporalRowTimeJoinOperator): it waits until the watermark says that
 * no version before it can come any more.
 */
export function temporalJoinOperator(setup: OperatorSetup<'temporalJoin'>): Operator {
  const { node, plan, context, side, emit } = setup;
  const { type, lateTag, join } = node.temporalJoin;
  const operator = plan.uid ?? plan.name;
  const versions = new VersionTable(context, operator);
  const table = new WindowTable(context, operator, '$left');
  const waiting = new ElementContents(table);
  const entryAt = (time: number): string => table.entry(windowText(time, time));
  /** All that is to be done at a time of the key's is done. */
  const settle = (time: number): void => {
    waiting.clear(entryAt(time));
    versions.prune(time);
  };

  const timers: TimerOperator = {
    pending: new OperatorTimers(context, operator),
    watermark: -Infinity,
    fire: (_domain, { time }) => {
      const records = waiting.read(entryAt(time)) ?? [];
      const version = records.length > 0 ? versions.at(time) : undefined;
      settle(time);
      if (version === undefined && type === 'inner') return;
      context.timestamp = time;
      const ctx = { key: context.key, timestamp: time, versionTimestamp: version?.time };
      for (const record of records) emit(synchronous('temporalJoin', join(record, version?.value, ctx)));
    },
    abandon: (_domain, { time }) => {
      settle(time);
    },
  };

  const drop = (value: unknown): void => {
    if (lateTag === undefined) context.lateRecords++;
    else side(lateTag)(value);
  };

  return {
    process: (value) => {
      const time = eventTime(context.timestamp, 'temporal join');
      if (time <= timers.watermark) {
        drop(value);
        return;
      }
      waiting.add(entryAt(time), value);
      timers.pending.register('event', time);
    },
    processSecond: (value) => {
      const time = eventTime(context.timestamp, 'temporal join');
      const isLate = time <= timers.watermark;
      // A late version is valid from now on, unless a newer one is.
      if (isLate && (versions.at(timers.watermark)?.time ?? -Infinity) > time) {
        context.lateRecords++;
        return;
      }
      versions.put(time, value);
      if (isLate) versions.prune(timers.watermark);
      else timers.pending.register('event', time);
    },
    timers,
  };
}
