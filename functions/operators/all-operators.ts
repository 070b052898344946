import { aggregateOperator } from './aggregate.ts';
import { broadcastProcessOperator } from './broadcast-process.ts';
import { coFlatMapOperator } from './co-flat-map.ts';
import { coGroupOperator } from './co-group.ts';
import { coMapOperator } from './co-map.ts';
import { coProcessOperator } from './co-process.ts';
import { filterOperator } from './filter.ts';
import { flatMapOperator } from './flat-map.ts';
import { intervalJoinOperator } from './interval-join.ts';
import { keyByOperator } from './key-by.ts';
import { mapOperator } from './map.ts';
import type { OperatorTable } from './operator.ts';
import { processOperator } from './process.ts';
import { reduceOperator } from './reduce.ts';
import { temporalJoinOperator } from './temporal-join.ts';
import { watermarksOperator } from './watermarks.ts';
import { windowOperator } from './window/window-operator.ts';

/** Every operator that runs user code or keeps state, for runtimes that are not bundled for one stage. */
export const ALL_OPERATORS = {
  aggregate: aggregateOperator,
  broadcastProcess: broadcastProcessOperator,
  coFlatMap: coFlatMapOperator,
  coGroup: coGroupOperator,
  coMap: coMapOperator,
  coProcess: coProcessOperator,
  filter: filterOperator,
  flatMap: flatMapOperator,
  intervalJoin: intervalJoinOperator,
  keyBy: keyByOperator,
  map: mapOperator,
  process: processOperator,
  reduce: reduceOperator,
  temporalJoin: temporalJoinOperator,
  watermarks: watermarksOperator,
  window: windowOperator,
} satisfies OperatorTable;
