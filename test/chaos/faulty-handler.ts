import type { KafkaBatchResponse, KafkaEvent, KafkaEventRecord, LambdaContext, StageHandler } from '../../functions/runtime/lambda.ts';
import { type BatchFault, faultOf } from './batch-fault.ts';
import { draw } from './draw.ts';
import type { FaultLog } from './fault-log.ts';
import { type Moment, Tripwire } from './tripwire.ts';

type Records = readonly KafkaEventRecord[];
type Context = Partial<LambdaContext> | undefined;

/** A handler and the wire through its ports. */
interface Instance {
  readonly handler: StageHandler;
  readonly wire: Tripwire;
}

export interface FaultyHandlerOptions {
  readonly seed: number;
  readonly log: FaultLog;
  /** A handler with connections and caches of its own: as good as another environment. */
  readonly open: (wire: Tripwire) => StageHandler;
  /** Ends this environment on the spot. */
  readonly crash: () => Promise<never>;
}

const CRASHES: Readonly<Partial<Record<BatchFault, Moment>>> = {
  'crash before publish': 'before publish',
  'crash after publish': 'after publish',
  'crash after commit': 'after commit',
};

/** A stage's handler to which all happens that may happen to a function behind an event source mapping. */
export class FaultyHandler {
  private readonly options: FaultyHandlerOptions;
  private readonly main: Instance;
  /** Second deliveries and zombies; its caches are behind most of the time. */
  private spare: Instance | undefined;
  /** The last batch that got through, by partition. */
  private readonly applied = new Map<string, Records>();

  constructor(options: FaultyHandlerOptions) {
    this.options = options;
    this.main = this.openInstance();
  }

  async handle(event: unknown, context: Context): Promise<KafkaBatchResponse> {
    const batches = isKafkaEvent(event) ? Object.entries(event.records) : [];
    const [first] = batches;
    if (!isKafkaEvent(event) || first === undefined || batches.length > 1) return this.main.handler(event, context);
    const [partition, records] = first;
    const offset = records[0]?.offset ?? 0;
    const fault = faultOf(this.options.seed, partition, offset);
    const deliver = (part: Records, to = this.main): Promise<KafkaBatchResponse> =>
      to.handler({ ...event, records: { [partition]: part } }, context);
    const response = await this.deliverWith(fault, `${partition}@${offset}`, partition, records, deliver);
    this.applied.set(partition, records);
    return response;
  }

  private async deliverWith(
    fault: BatchFault | undefined,
    id: string,
    partition: string,
    records: Records,
    deliver: (part: Records, to?: Instance) => Promise<KafkaBatchResponse>,
  ): Promise<KafkaBatchResponse> {
    const moment = fault && CRASHES[fault];
    if (fault && moment) return this.withCrash(fault, moment, id, () => deliver(records));
    if (fault === 'batch delivered twice') {
      await deliver(records);
      this.options.log.note(fault, id);
      return deliver(records, this.pick(id));
    }
    if (fault === 'batch cut anew') return this.cutAnew(id, partition, records, deliver);
    if (fault === 'zombie woken') return this.withZombie(id, records, deliver);
    return deliver(records);
  }

  private async withCrash<T>(fault: BatchFault, moment: Moment, id: string, run: () => Promise<T>): Promise<T> {
    const { wire } = this.main;
    wire.set(moment, async () => {
      if (this.options.log.note(fault, id)) await this.options.crash();
    });
    try {
      return await run();
    } finally {
      wire.clear();
    }
  }

  /** In parts that overlap with each other and with the batch before; each of them is one that a mapping may deliver. */
  private async cutAnew(
    id: string,
    partition: string,
    records: Records,
    deliver: (part: Records, to?: Instance) => Promise<KafkaBatchResponse>,
  ): Promise<KafkaBatchResponse> {
    const { seed, log } = this.options;
    const before = this.applied.get(partition) ?? [];
    const isNext = before.at(-1)?.offset === (records[0]?.offset ?? 0) - 1;
    const tail = isNext ? before.slice(Math.floor(draw(seed, id, 'tail') * before.length)) : [];
    const end = 1 + Math.floor(draw(seed, id, 'end') * records.length);
    const from = Math.floor(draw(seed, id, 'from') * (end + 1));
    if (tail.length > 0 || end < records.length) log.note('batch cut anew', id);
    const response = await deliver([...tail, ...records.slice(0, end)]);
    return from < records.length ? deliver(records.slice(from), this.pick(id)) : response;
  }

  /** An invocation freezes before it publishes or commits, and wakes when another has applied the same batch and answered. */
  private async withZombie(
    id: string,
    records: Records,
    deliver: (part: Records, to?: Instance) => Promise<KafkaBatchResponse>,
  ): Promise<KafkaBatchResponse> {
    const { seed, log } = this.options;
    const zombie = (this.spare ??= this.openInstance());
    let wake = (): void => undefined;
    const woken = new Promise<void>((resolve) => (wake = resolve));
    const state = { isFrozen: false };
    let zombies: Promise<unknown> = Promise.resolve();
    await new Promise<void>((resolve) => {
      zombie.wire.set(draw(seed, id, 'moment') < 0.5 ? 'before publish' : 'before commit', () => {
        state.isFrozen = true;
        resolve();
        return woken;
      });
      // What becomes of it is nobody's business: its invocation has been given up.
      zombies = deliver(records, zombie).then(
        () => resolve(),
        () => resolve(),
      );
    });
    zombie.wire.clear();
    try {
      const response = await deliver(records);
      if (state.isFrozen) log.note('zombie woken', id);
      return response;
    } finally {
      wake();
      await zombies;
    }
  }

  /** This environment again, or another one. */
  private pick(id: string): Instance {
    return draw(this.options.seed, id, 'instance') < 0.5 ? this.main : (this.spare ??= this.openInstance());
  }

  private openInstance(): Instance {
    const wire = new Tripwire();
    return { wire, handler: this.options.open(wire) };
  }
}

function isKafkaEvent(event: unknown): event is KafkaEvent {
  return typeof event === 'object' && event !== null && 'records' in event;
}
