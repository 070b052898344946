import type { Mutant } from './mutation.ts';

const TASK = 'runtime/fenced-task.ts';
const STORE = 'state/task-store.ts';
const JOURNAL = 'runtime/output-journal.ts';
const world = { journal: true } as const;

/** Rules about stages that journal: section 5, behind A9. */
export const JOURNAL_MUTANTS: readonly Mutant[] = [
  {
    name: 'journalPublishFirst',
    rule: '§5 journal: A6 moves behind A7, as a repetition computes other outputs ◆',
    edits: [{ file: TASK, find: 'stage.journal ? (journals.take', replace: 'stage.journal && false ? (journals.take' }],
    world,
    seed: 2,
  },
  {
    name: 'journalSkipOnDuplicates',
    rule: '§5 A3 what is pending is published even if the whole batch is known ◆',
    edits: [
      {
        file: TASK,
        find: 'if (!(await this.publishPending(node, transaction))) return false;',
        replace: 'if (this.unapplied(node).length > 0 && !(await this.publishPending(node, transaction))) return false;',
      },
    ],
    world,
    seed: 67,
  },
  {
    name: 'journalNeverResent',
    rule: '§5 A3 the next attempt publishes what a crash left pending',
    edits: [{ file: TASK, find: '    if (!(await this.publishPending(node, transaction))) return false;\n', replace: '' }],
    world,
    seed: 2,
  },
  {
    name: 'journalNotAwaited',
    rule: '§5 journal: success is returned after the publish',
    edits: [
      {
        file: TASK,
        find: 'if (pending) await this.sendPending(held.node, pending, held.transaction);',
        replace: 'if (pending) void this.sendPending(held.node, pending, held.transaction).catch(() => undefined);',
      },
    ],
    world,
    seed: 147,
  },
  {
    name: 'journalTakenAsSent',
    rule: '§5 A3 an environment skips only what it has seen acknowledged',
    edits: [
      {
        file: TASK,
        find: 'await publishJournal(pending, this.runtime.ports);',
        replace: "this.runtime.published.set(this.task, fence.pending[0] ?? ''); await publishJournal(pending, this.runtime.ports);",
      },
    ],
    world,
    seed: 2,
  },
  {
    name: 'journalSwept',
    rule: '§3 pending outputs are named by the fence, and not swept',
    edits: [{ file: STORE, find: '.concat(pending)', replace: '' }],
    world: { ...world, maxDeltas: 1 },
    seed: 1,
  },
  {
    name: 'journalOutOfOrder',
    rule: '§3 frames for one partition go out strictly one after another, also from a journal ◆',
    edits: [
      {
        file: JOURNAL,
        find: 'const name = `${topic}-${partition}`;',
        replace: 'const name = `${appends.indexOf(append)}`;',
      },
    ],
    world: { ...world, frameBytes: 40 },
    seed: 1,
  },
  {
    name: 'journalCompared',
    rule: '§5 a journal stage need not be deterministic, so it is not run twice',
    edits: [{ file: TASK, find: '!this.runtime.stage.journal && this.runtime.isCheckDue()', replace: 'this.runtime.isCheckDue()' }],
    world: { ...world, determinismEvery: 1 },
    seed: 1,
  },
];
