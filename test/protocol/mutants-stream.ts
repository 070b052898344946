import type { Mutant } from './mutation.ts';

const TASK = 'runtime/fenced-task.ts';
const RUN = 'runtime/fenced-run.ts';
const SOURCE = 'runtime/source-task.ts';
const OUTPUTS = 'runtime/batch-outputs.ts';
const APPENDS = 'runtime/ordered-appends.ts';
const WRITER = 'codec/frame-writer.ts';
const HANDLER = 'runtime/stage-handler.ts';
const ENGINE = 'runtime/stage-engine.ts';

/** Rules about frames, publishing and time: sections 2, 3, 4 and 7, awaits S1–S4, A5, A6 and A9. */
export const STREAM_MUTANTS: readonly Mutant[] = [
  {
    name: 'rebalanceByCounter',
    rule: '§2 the partition of an output is a function of its origin ◆',
    edits: [
      {
        file: OUTPUTS,
        find: 'key === undefined ? spread(origin, plan.partitions)',
        replace:
          'key === undefined ? ((plan as { counter?: number }).counter = ((plan as { counter?: number }).counter ?? 0) + 1) % plan.partitions',
      },
    ],
    world: { rebalance: true, late: false, topology: 'chain' },
    seed: 4,
  },
  {
    name: 'timersByHistory',
    rule: '§2 timers fire by (time, key, name), never by history ◆',
    edits: [
      {
        file: 'state/tables.ts',
        find: 'return a.time - b.time || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);',
        replace: 'return a.time - b.time;',
      },
    ],
    world: { keys: 3, tasksB: 1, records: 12 },
    seed: 2,
  },
  {
    name: 'mapByHistory',
    rule: '§2 map state is read by encoded key, never by history ◆',
    edits: [
      {
        file: 'state/tables.ts',
        find: 'return [...(this.index.get(stateKey) ?? [])].sort();',
        replace: 'return [...(this.index.get(stateKey) ?? [])];',
      },
    ],
    world: { keys: 1, records: 12, maxDeltas: 1 },
    seed: 403,
  },
  {
    name: 'ordinalByCount',
    rule: '§2 a record that is skipped never renumbers its neighbors',
    edits: [
      {
        file: 'runtime/pending-record.ts',
        find: 'engine.runRecord(offset, 2 * reader.position + 2,',
        replace: 'engine.runRecord(offset, ((this as any).ran = ((this as any).ran ?? 1000) + 1),',
      },
    ],
    seed: 2,
  },
  {
    name: 'timerOriginsTwice',
    rule: '§2 timers of both domains that fire in one place share one numbering',
    edits: [
      {
        file: ENGINE,
        find: 'if (this.timerPlace?.offset === place.offset && this.timerPlace.ordinal === place.ordinal) return;',
        replace: '',
      },
    ],
    world: { ticks: true, bounded: true },
    seed: 1,
  },
  {
    name: 'frameAnEdge',
    rule: '§3 all edges of a batch into one partition share one list of frames ◆',
    edits: [
      {
        file: OUTPUTS,
        find: 'options.outputs.map(({ topic, partitions }) => {',
        replace: 'options.outputs.map(({ topic, partitions, tag }) => {',
      },
      { file: OUTPUTS, find: 'let channel = channels.get(topic);', replace: 'let channel = channels.get(`${topic} ${tag}`);' },
      { file: OUTPUTS, find: 'if (!channel) channels.set(topic, (', replace: 'if (!channel) channels.set(`${topic} ${tag}`, (' },
    ],
    world: { topology: 'chain' },
    seed: 1,
  },
  {
    name: 'watermarkAFrame',
    rule: '§3 watermark steps between records, not one watermark a frame ◆',
    edits: [{ file: WRITER, find: 'if (this.noted !== this.sent) this.addStep(segment);', replace: '' }],
    world: { late: true, records: 12 },
    seed: 2,
  },
  {
    name: 'endStepInEveryFrame',
    rule: '§3 the step of the end of the batch stands only in the last frame ◆',
    edits: [{ file: WRITER, find: 'segment === last && final !== this.sent', replace: 'final > -Infinity' }],
    world: { frameBytes: 40, batch: 4 },
    seed: 1,
  },
  {
    name: 'parallelFrames',
    rule: '§3 frames for one partition go out strictly one after another ◆',
    edits: [
      {
        file: APPENDS,
        find: `for (const messages of appends) {
          if (failures.length > 0) return;
          await channels.append(topic, partition, messages);
        }`,
        replace: 'await Promise.all(appends.map((messages) => channels.append(topic, partition, messages)));',
      },
    ],
    world: { frameBytes: 40, batch: 4 },
    seed: 1,
  },
  {
    name: 'frameAfterFailure',
    rule: '§3 nothing is sent to a partition after a failure ◆ (I7)',
    edits: [
      { file: APPENDS, find: 'if (failures.length > 0) return;', replace: '' },
      {
        file: APPENDS,
        find: 'await channels.append(topic, partition, messages);',
        replace: 'await channels.append(topic, partition, messages).catch((error: unknown) => failures.push(error));',
      },
    ],
    world: { frameBytes: 40, batch: 4 },
    seed: 10,
  },
  {
    name: 'generatorAhead',
    rule: '§4 S1 the generator is kept only if it stands at or below the first offset, and only after success ◆',
    edits: [
      { file: SOURCE, find: 'kept && kept.position <= firstOffset ? kept', replace: 'kept ? kept' },
      {
        file: SOURCE,
        find: '    await this.send(',
        replace: '    runtime.generators.putBack(task, run.generator);\n    await this.send(',
      },
    ],
    world: { late: true, topology: 'chain' },
    seed: 6,
  },
  {
    name: 'crossingByMemory',
    rule: '§4 S3 a crossed multiple makes a frame, not "moved enough" since what memory says ◆',
    edits: [{ file: SOURCE, find: 'after > before ? after : undefined', replace: 'after - before > interval ? after : undefined' }],
    world: { late: true, topology: 'chain' },
    seed: 4,
  },
  {
    name: 'noEmptyFrames',
    rule: '§4 S3 every partition of every channel gets a frame, if need be an empty one ◆',
    edits: [
      {
        file: OUTPUTS,
        find: 'writers[partition] ?? (watermark === undefined ? undefined : this.newWriter());',
        replace: 'writers[partition];',
      },
    ],
    seed: 2,
  },
  {
    name: 'noAck',
    rule: '§4 S3 each ack is awaited',
    edits: [
      {
        file: SOURCE,
        find: '    await this.send(',
        replace: '    void Promise.resolve().catch(() => run);\n    await Promise.race([null]) ?? void this.send(',
      },
    ],
    seed: 2,
  },
  {
    name: 'letterNotAcked',
    rule: '§4 S3 dead letters are acknowledged before the batch is ◆',
    edits: [
      {
        file: OUTPUTS,
        find: 'await channels.append(deadLetterTopic, 0, this.deadLetters);',
        replace: 'await channels.append(deadLetterTopic, 0, this.deadLetters).catch(() => undefined);',
      },
    ],
    world: { badInput: true, topology: 'chain', faults: 14 },
    seed: 13,
  },
  {
    name: 'copiesOfLetters',
    rule: '§4 readers of the dead-letter topic drop equal origins ◆ (a rule of readers: the world’s)',
    edits: [],
    switches: { copiesOfLetters: true },
    world: { badInput: true, faults: 14 },
    seed: 12,
  },
  {
    name: 'partialUnknown',
    rule: '§4 S4 a mapping without partial responses is never answered with one ◆',
    edits: [{ file: HANDLER, find: 'if (first && !answersInPart) throw first.error;', replace: 'void first;' }],
    world: { partial: false },
    seed: 2,
  },
  {
    name: 'partialInside',
    rule: '§4 S4 a stage without a fence never answers with an offset inside its batch ◆',
    edits: [
      {
        file: SOURCE,
        find: 'this.next = batch.messages[0]?.offset ?? 0;',
        replace: 'this.next = batch.messages[batch.messages.length >> 1]?.offset ?? 0;',
      },
    ],
    world: { partial: true, topology: 'chain', faults: 14 },
    seed: 11,
  },
  {
    name: 'partialBeyond',
    rule: '§4 S4, §5 A9 a stage with a fence answers a failure with the fence’s `next`',
    edits: [{ file: HANDLER, find: 'offset: task.next', replace: 'offset: (batch.messages.at(-1)?.offset ?? 0) + 1' }],
    world: { partial: true, faults: 14 },
    seed: 2,
  },
  {
    name: 'markLost',
    rule: '§5 A5 a record at or below its upstream’s mark is dropped (I2)',
    edits: [{ file: RUN, find: 'if (last) this.draft.marks.set(upstream, last);', replace: '' }],
    seed: 1,
  },
  {
    name: 'watermarkBeforeTimers',
    rule: '§5 A5 outputs carry the watermark that had been sent on before them',
    edits: [
      {
        file: RUN,
        find: '    draft.watermark = risen;\n',
        replace: '    draft.watermark = risen;\n    this.input.outputs.watermark = risen;\n',
      },
    ],
    seed: 1,
  },
  {
    name: 'noEmptyFramesOfFence',
    rule: '§5 A5 empty frames when the task’s watermark rose',
    edits: [
      {
        file: RUN,
        find: 'return this.draft.watermark > this.startWatermark ? this.draft.watermark : undefined;',
        replace: 'return undefined;',
      },
    ],
    seed: 1,
  },
  {
    name: 'publishAfterCommit',
    rule: '§5 A6 before A7: without a journal, outputs go out before the commit',
    edits: [
      {
        file: TASK,
        find: 'await outputs.publish(journal?.channels ?? this.runtime.ports.channels, this.runtime.plan.deadLetterTopic, final); // A6',
        replace: '',
      },
      {
        file: TASK,
        find: 'this.count(run, outputs);',
        replace: 'await outputs.publish(this.runtime.ports.channels, this.runtime.plan.deadLetterTopic, final); this.count(run, outputs);',
      },
    ],
    seed: 1,
  },
  {
    name: 'sinkNotAcked',
    rule: '§5 A6 each ack of a sink is awaited',
    edits: [
      {
        file: OUTPUTS,
        find: 'await this.flush(sink, channels, deadLetterTopic, final.watermark === Infinity);',
        replace: 'await sink.flush().catch(() => undefined);',
      },
    ],
    world: { faults: 14 },
    seed: 22,
  },
  {
    name: 'recordTooLarge',
    rule: '§5 A5 an output too large for the topic fails its record: else it would block for ever',
    edits: [{ file: WRITER, find: 'if (segment.mostBytes > maxRecordBytes) this.checkRecordBytes(segment);', replace: '' }],
    world: { huge: true, topology: 'chain', faults: 0, late: false, records: 5 },
    seed: 1,
  },
  {
    name: 'noMinimum',
    rule: '§7 the watermark is the minimum over all upstream tasks; one not heard of counts as −∞',
    edits: [{ file: 'time/watermark.ts', find: 'if (known < expected || known === 0) return -Infinity;', replace: '' }],
    world: { topology: 'fanin' },
    seed: 1,
  },
  {
    name: 'idleWithLag',
    rule: '§7 idle is only who has applied all that is in its log (a rule of the clock: the world’s)',
    edits: [],
    switches: { idleWithLag: true },
    world: { idle: 'drained', topology: 'fanin', late: false },
    seed: 1,
  },
  {
    name: 'endIdleCounts',
    rule: '§7 an idle upstream does not count as ended ◆',
    edits: [{ file: 'time/watermark.ts', find: 'if (minimum === Infinity && idle.size > 0) return -Infinity;', replace: '' }],
    world: { idle: 'anytime', bounded: true, topology: 'fanin', late: false },
    seed: 447,
  },
  {
    name: 'endedBecomesIdle',
    rule: '§7 an upstream that has ended cannot become idle ◆',
    edits: [{ file: RUN, find: 'if (draft.watermarks.get(upstream) === Infinity) return;', replace: '' }],
    world: { idle: 'anytime', bounded: true, topology: 'fanin', late: false },
    seed: 1,
  },
];
