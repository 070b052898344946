import { runInThisContext } from 'node:vm';
import type { KafkaEvent } from '../../functions/runtime/lambda.ts';
import { type PackedEvent, UNPACK_EVENT } from '../../local/emulator/packed-event.ts';

/** As an execution environment does it. */
export const unpackEvent = runInThisContext(`${UNPACK_EVENT}\nunpackEvent`) as (packed: PackedEvent) => KafkaEvent;
