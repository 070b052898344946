import type { Mutant } from './mutation.ts';

const TASK = 'runtime/fenced-task.ts';
const BARE = 'runtime/transactional-task.ts';
const OPEN = 'runtime/task-transaction.ts';
const fenced = { exactlyOnce: true } as const;
const bare = { bare: true } as const;

/** Rules about exactly-once sinks: section 4, last paragraph, and section 5, A0 and A6. What a client must do for them is tested on real services. */
export const TRANSACTION_MUTANTS: readonly Mutant[] = [
  {
    name: 'producerOfEnvironment',
    rule: '§5 A0 the transactional.id is that of the task ◆',
    edits: [{ file: OPEN, find: '.g${plan.generation}`', replace: '.g${plan.generation}.${ports.clock.random()}`' }],
    world: fenced,
    seed: 6,
  },
  {
    name: 'producerShared',
    rule: '§4 producer and G are moved out: one owner ◆',
    edits: [
      {
        file: OPEN,
        find: 'if (held) return held;',
        replace: 'if (held) { transactions.putBack(runtime.task(topic, partition), held); return held; }',
      },
    ],
    world: { ...bare, partitions: 1, records: 12, faults: 14 },
    seed: 3,
  },
  {
    name: 'producerKept',
    rule: '§4 producer and G are kept only after success ◆',
    edits: [
      {
        file: BARE,
        find: 'void transaction.close().catch(() => undefined);',
        replace: 'runtime.transactions.putBack(runtime.task(batch.topic, batch.partition), transaction);',
      },
    ],
    world: { ...bare, partitions: 1, records: 12, faults: 14 },
    seed: 3,
  },
  {
    name: 'publishedSentAgain',
    rule: '§5 A6 only outputs of input from G on go into the transaction',
    edits: [{ file: TASK, find: 'outputs.takeAppends(transaction.published ?? 0)', replace: 'outputs.takeAppends(0)' }],
    world: fenced,
    seed: 6,
  },
  {
    name: 'pendingSentAgain',
    rule: '§5 A3 what is pending goes into a transaction only if G is below it',
    edits: [{ file: TASK, find: 'fence.next > (transaction.published ?? -1)', replace: 'fence.next > -1' }],
    world: { ...fenced, journal: true },
    seed: 1,
  },
  {
    name: 'transactionAfterCommit',
    rule: '§5 A6 comes before A7 where there is no journal',
    edits: [
      { file: TASK, find: '    if (!journal) await this.publishTransaction(held.transaction, outputs, run.draft.next);\n', replace: '' },
      {
        file: TASK,
        find: 'if (pending) await this.sendPending(held.node, pending, held.transaction);',
        replace: 'await this.publishTransaction(held.transaction, outputs, run.draft.next);',
      },
      { file: TASK, find: 'journal?.take(await outputs.takeAppends(0));', replace: 'journal?.take([]);' },
    ],
    world: fenced,
    seed: 1,
  },
  {
    name: 'belowG',
    rule: '§4 input below G is dropped',
    edits: [{ file: BARE, find: 'batch.messages.filter(({ offset }) => offset >= next);', replace: '[...batch.messages];' }],
    world: bare,
    seed: 11,
  },
  {
    name: 'noPin',
    rule: '§4 G is committed before the first batch, so that a gap is seen ◆',
    edits: [{ file: BARE, find: '    if (transaction.published === undefined) await transaction.commit([], this.next);\n', replace: '' }],
    world: { ...bare, faults: 14 },
    seed: 23,
  },
  {
    name: 'gapAboveG',
    rule: '§4 a first offset above G is counted as a gap',
    edits: [{ file: BARE, find: '    this.reportGaps(messages, next);\n', replace: '' }],
    world: { ...bare, faults: 14 },
    seed: 1,
  },
  {
    name: 'lettersOutside',
    rule: '§4 dead letters go into the transaction ◆',
    edits: [
      {
        file: BARE,
        find: 'if (last) await transaction.commit([...appends, ...letters], last.offset + 1, outputs.burial(appends, plan.deadLetterTopic));',
        replace: `if (last) await transaction.commit(appends, last.offset + 1);
      for (const one of letters) await ports.channels.append(one.topic, one.partition, one.messages);`,
      },
    ],
    world: { ...bare, badInput: true, records: 12, faults: 14 },
    seed: 11,
  },
];
