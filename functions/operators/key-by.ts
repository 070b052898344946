import { parseKey } from '../shared/key.ts';
import type { Operator, OperatorSetup } from './operator.ts';

/** A keyBy without a hop, where the source is already partitioned by the key: sets the key for what follows in the chain. */
export function keyByOperator({ node, context, emit }: OperatorSetup<'keyBy'>): Operator {
  return {
    process: (value) => {
      context.key = parseKey(node.key(value));
      context.seenKeys?.add(context.stateKey);
      emit(value);
    },
  };
}
