import type { Mutant } from './mutation.ts';

const RUN = 'runtime/fenced-run.ts';
const ENGINE = 'runtime/stage-engine.ts';
const REPLAYED = 'runtime/replayed-record.ts';

/** Rules about errors, dead letters and the end of the input: sections 6 and 7. */
export const ERROR_MUTANTS: readonly Mutant[] = [
  {
    name: 'stateNotUndone',
    rule: '§6 undo takes back state and timers',
    edits: [{ file: ENGINE, find: '    state?.rollback(mark);\n', replace: '' }],
    world: { hiccups: true },
    seed: 1,
  },
  {
    name: 'outputsNotUndone',
    rule: '§6 undo takes back outputs',
    edits: [{ file: ENGINE, find: '    outputs.undo();\n', replace: '' }],
    world: { hiccups: true },
    seed: 1,
  },
  {
    name: 'emissionNotUndone',
    rule: '§2 a second attempt numbers its outputs as the first did',
    edits: [
      {
        file: ENGINE,
        find: '      this.setPlace(offset, ordinal, 0);',
        replace: '      this.setPlace(offset, ordinal, attempt === 1 ? 0 : context.emission);',
      },
      { file: ENGINE, find: '    this.context.emission = emission;\n', replace: '' },
    ],
    world: { hiccups: true, determinismEvery: 0 },
    seed: 2,
  },
  {
    name: 'sinkNotUndone',
    rule: '§6 undo takes back what a sink holds',
    edits: [
      {
        file: 'runtime/batch-outputs.ts',
        find: '    for (const [i, sink] of this.sinks.entries()) sink.reset(this.sinkMarks[i] ?? 0);\n',
        replace: '',
      },
    ],
    world: { hiccups: true, determinismEvery: 0 },
    seed: 8,
  },
  {
    name: 'noVerdict',
    rule: '§6 a dead letter is decided by a committed verdict: nothing is published beyond an undecided record ◆',
    edits: [
      {
        file: RUN,
        find: '    this.cuts.push({ position: record.position, failure });\n',
        replace: '    this.bury(record.origin(), failure, record.payload());\n',
      },
    ],
    world: { poison: true, mends: true, late: false, topology: 'chain', faults: 14 },
    seed: 33,
  },
  {
    name: 'halfFrame',
    rule: '§6 the batch is cut before the message of the record that failed: all of a message or nothing',
    edits: [
      {
        file: 'runtime/fenced-task.ts',
        find: 'this.takeBack(held, sinks);\n      ({ run, outputs } = this.compute(held, before, tasks, sinks));\n      const [again] = run.cuts;',
        replace: 'void before;\n      const again = undefined as any;',
      },
    ],
    world: { poison: true, mends: false, topology: 'chain', frameBytes: 100_000, batch: 4 },
    seed: 2,
  },
  {
    name: 'verdictForgotten',
    rule: '§6 the verdict is committed with the prefix',
    edits: [
      {
        file: 'runtime/fenced-task.ts',
        find: 'addVerdicts(run.draft, offset, cuts), pending); // A7',
        replace: 'run.draft, pending); // A7',
      },
    ],
    world: { poison: true },
    seed: 2,
  },
  {
    name: 'verdictKept',
    rule: '§6 the batch that skips the record clears its verdict',
    edits: [{ file: RUN, find: '      this.forgetVerdicts();\n      if (message.isLogTime)', replace: '      if (message.isLogTime)' }],
    world: { poison: true },
    seed: 2,
  },
  {
    name: 'noDeadEntry',
    rule: '§6 dead/<origin> goes into the state with the dead letter',
    edits: [{ file: RUN, find: '    state.set(state.table(DEAD_LETTERS), stateKey(origin), true);\n', replace: '' }],
    world: { poison: true },
    seed: 2,
  },
  {
    name: 'replayUnguarded',
    rule: '§6 a replayed record is applied only while dead/<origin> is in the state',
    edits: [{ file: REPLAYED, find: "return isNoted === (rule === 'dead');", replace: "return rule === 'dead' || !isNoted;" }],
    world: { replay: true, poison: true, mends: false },
    seed: 2,
  },
  {
    name: 'replayNotNoted',
    rule: '§6 a replay removes dead/<origin> in the commit that applies it',
    edits: [{ file: REPLAYED, find: "if (rule === 'dead') state.delete(table, key);", replace: "if (rule === 'dead') void key;" }],
    world: { replay: true, poison: true, mends: false },
    seed: 2,
  },
  {
    name: 'replayOfSourceUnguarded',
    rule: '§6 what a stage without a fence puts out for a replayed dead letter is applied once',
    edits: [{ file: REPLAYED, find: "return isNoted === (rule === 'dead');", replace: "return rule === 'once' || isNoted;" }],
    world: { replay: true, badInput: true, topology: 'chain' },
    seed: 1,
  },
  {
    name: 'replayMarked',
    rule: '§6 no mark is kept of upstream dlq: dead letters are replayed in any order, and again when they have failed again',
    edits: [
      {
        file: RUN,
        find: 'if (record.admit(this.input.state)) this.settleRecord(record);',
        replace: `const mark = this.draft.marks.get(reader.upstream);
          if (mark !== undefined && compareOrigins(reader, mark) <= 0) this.duplicates++;
          else this.draft.marks.set(reader.upstream, { offset: reader.offset, ordinal: reader.ordinal, emission: reader.emission, time: 0 });
          if ((mark === undefined || compareOrigins(reader, mark) > 0) && record.admit(this.input.state)) this.settleRecord(record);`,
      },
    ],
    world: { replay: true, poison: true, mends: false },
    seed: 3,
  },
  {
    name: 'eventTimeOfOthers',
    rule: '§7 a skipped record moves no watermark, whatever the environment ran before (I6)',
    edits: [{ file: ENGINE, find: '    this.context.eventTimeSeen = -Infinity; // another', replace: '    // another' }],
    world: { topology: 'direct', badInput: true, partitions: 2, records: 12 },
    seed: 64,
  },
  {
    name: 'creationTimeAsLogTime',
    rule: '§3 only log append times tell that an upstream went back: creation times come in any order',
    edits: [{ file: 'runtime/kafka-event.ts', find: 'return isLogTime ? time : 0;', replace: 'return isLogTime || true ? time : 0;' }],
    world: { logTime: false },
    seed: 1,
  },
  {
    name: 'markTimeOfLast',
    rule: '§3 a mark keeps the largest log time: the end of an input has none',
    edits: [{ file: RUN, find: 'time: Math.max(mark?.time ?? 0, reader.lastTime)', replace: 'time: reader.lastTime' }],
    world: { bounded: true, logTime: true, topology: 'direct', faults: 14 },
    seed: 342,
  },
  {
    name: 'endOfOtherGeneration',
    rule: '§7 an end of another generation is refused ◆, before a fence could be created from it ◆',
    edits: [{ file: 'runtime/kafka-event.ts', find: "if (event['generation'] !== generation) {", replace: 'if (generation < 0) {' }],
    world: { bounded: true },
    seed: 2,
  },
  {
    name: 'endKeepsTicks',
    rule: '§7 at +∞ all processing-time timers fire too ◆',
    edits: [
      {
        file: RUN,
        find: 'draft.processingTime = Infinity; // processing time ends with the input, or its timers would never fire\n      engine.end(place, onFailure);',
        replace: 'engine.advanceWatermark(place, risen, onFailure);',
      },
    ],
    world: { bounded: true, ticks: true },
    seed: 1,
  },
  {
    name: 'endEarly',
    rule: '§7 the end is sent when nothing readable is left below it ◆ (a rule of clocks: the world’s)',
    edits: [],
    switches: { endEarly: true },
    world: { bounded: true },
    seed: 1,
  },
  {
    name: 'endNotFixed',
    rule: '§7 records at or above the end are not read ◆ (a rule of mappings: the world’s)',
    edits: [],
    switches: { endNotFixed: true },
    world: { bounded: true },
    seed: 1,
  },
  {
    name: 'endByFrame',
    rule: '§7 the end of a fenced source stage is an invocation, not a frame past it ◆ (the world’s clocks)',
    edits: [],
    switches: { endByFrame: true },
    world: { bounded: true, topology: 'direct' },
    seed: 1,
  },
];
