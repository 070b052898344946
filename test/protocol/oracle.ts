import { openFrame } from '../../functions/codec/frame-reader.ts';
import type { WorldConfig } from './config.ts';
import { BOUND_MS, hash, type InputRecord, INTERVAL_MS, type Item, itemsOf, SINK_TOPIC, windowId, windowOf, WINDOWS } from './pipeline.ts';
import { type KeyView, type Letter, readLetters, readStage, type StageView } from './views.ts';
import type { World } from './world.ts';

/** A record that a stage must have applied, or must have buried. */
interface Expected {
  readonly id: string;
  readonly key: string;
  readonly time: number | null;
  /** Records of one line arrive in this order. */
  readonly line: string;
}

/** Compares what is committed with what the input says, stage by stage. Empty if all is well. */
export async function findErrors(world: World, isAtDone = false): Promise<string[]> {
  const errors = [...world.functions.values(), world].flatMap(({ unexpected }) => unexpected.slice(0, 2));
  const letters = readLetters(world);
  if (world.config.bare) return [...errors, ...checkBare(world, letters)];
  let expected: readonly Expected[] = expectedOfInput(world);
  for (const uid of ['b', 'c'] as const) {
    const stage = world.stageWith(uid);
    const view = await readStage(world, stage, uid);
    const own = letters.filter((letter) => letter.stage === stage.id);
    errors.push(...checkStage(world, view, expected, own), ...(isAtDone ? [] : checkFences(world, view)));
    expected = view.keys.flatMap((key) => key.emitted.map(([id, next, time]) => ({ id, key: next, time, line: `${uid}-${key.key}` })));
  }
  errors.push(...checkInputLetters(world, letters), ...checkSink(world, expected));
  return errors;
}

function expectedOfInput({ input, config, hasReplayed }: World): Expected[] {
  return input.flatMap(({ topic, partition, messages }) =>
    messages
      .filter(({ record, isReadable }) => record.last !== true && (isReadable || hasReplayed))
      .flatMap(({ record }) =>
        itemsFor(config, record).map(({ id, key }) => ({ id, key, time: record.time, line: `${topic}-${partition}` })),
      ),
  );
}

function itemsFor({ topology, bare }: WorldConfig, record: InputRecord): readonly Item[] {
  return topology === 'direct' || bare ? itemsOf(record).slice(0, 1) : itemsOf(record);
}

function checkStage(world: World, view: StageView, expected: readonly Expected[], letters: readonly Letter[]): string[] {
  const { uid, keys } = view;
  const records = letters.filter(({ kind, what }) => kind !== 'timer' && !isUnreadable(world, what));
  const applied = keys.flatMap(({ history }) => history.map(({ id }) => id));
  // With replays a dead letter may be one no more: it is while its entry stands.
  const dead = world.config.replay ? records.filter(({ origin }) => view.dead.includes(origin)) : records;
  const buried = dead.map(({ what }) => what);
  const replayed = replayedIds(world, letters);
  return [
    ...view.missing.map((task) => `${task}: state LOST`),
    ...difference(
      `${uid} applied or buried`,
      [...applied, ...buried],
      expected.map(({ id }) => id),
    ),
    ...checkBuried(world, view, letters),
    ...keys.flatMap((key) => checkKey(world, uid, key, expected, replayed)),
    ...checkWindows(world, view, letters),
    ...checkLate(world, view, replayed),
    ...view.pending.map((timer) => `${uid}: timer ${timer} has not fired`),
  ];
}

/** Ids of records that come out of order, and late, as they are replayed. */
function replayedIds(world: World, letters: readonly Letter[]): ReadonlySet<string> {
  if (!world.config.replay) return new Set();
  const unreadable = world.input.flatMap(({ messages }) => messages.filter(({ isReadable }) => !isReadable));
  return new Set([
    ...letters.map(({ what }) => what),
    ...unreadable.flatMap(({ record }) => itemsFor(world.config, record).map(({ id }) => id)),
  ]);
}

function isUnreadable({ input }: World, id: string): boolean {
  return input.some(({ messages }) => messages.some((message) => message.record.id === id && !message.isReadable));
}

/** Every dead letter of a fenced stage has its entry in the state, and the other way round; only what throws is buried. */
function checkBuried(world: World, { uid, dead }: StageView, letters: readonly Letter[]): string[] {
  const records = letters.filter(({ kind }) => kind !== 'timer');
  // Attempts end with whatever throws last.
  const wrong = letters.filter(({ error, what }) => !/^(poison|hiccup)/.test(error) && !isUnreadable(world, what));
  return [
    ...difference(
      `${uid} dead letters and dead/ entries`,
      records.map(({ origin }) => origin).filter((origin) => !world.config.replay || dead.includes(origin)),
      dead,
    ),
    ...(world.hasReplayed ? dead : []).map((origin) => `${uid}: ${origin} was replayed, and is still dead`),
    ...wrong.map(({ what, error }) => `${uid}: ${what} was buried without reason (${error})`),
  ];
}

function checkKey(world: World, uid: string, view: KeyView, expected: readonly Expected[], replayed: ReadonlySet<string>): string[] {
  const errors: string[] = [];
  const places = new Map(expected.map((one, i) => [one.id, { ...one, place: i }]));
  const reached = new Map<string, number>();
  for (const { id, time } of view.history) {
    const want = places.get(id);
    if (!want) continue; // found by the comparison of ids
    if (want.key !== view.key) errors.push(`${uid}: ${id} of key ${want.key} applied under ${view.key}`);
    if (want.time !== time) errors.push(`${uid}: ${id} has event time ${time}, expected ${want.time}`);
    if (replayed.has(id)) continue;
    const last = reached.get(want.line) ?? -1;
    if (want.place < last && !(world.config.rebalance && uid === 'b')) errors.push(`${uid}: ${id} of ${want.line} out of ORDER`);
    reached.set(want.line, want.place);
  }
  // Only with a bounded input does processing time end together with event time.
  const isLast = (id: string): boolean => replayed.has(id) || (world.config.replay && uid === 'c');
  // Without an end, one partition's last record stands for it, and the others may be idle at any time.
  const { idle, bounded } = world.config;
  if (idle === 'anytime' && !bounded) return errors;
  const afterEnd = view.afterEnd.filter((id) => !isLast(id) && (bounded || !id.startsWith('bp(')));
  if (afterEnd.length > 0) errors.push(`${uid}: ${afterEnd.join()} applied after the end`);
  return errors;
}

/** Each window holds exactly its records, and has fired once or, if its timer throws, is a dead letter. */
function checkWindows({ config, functions: _ }: World, { uid, keys }: StageView, letters: readonly Letter[]): string[] {
  const fired: string[] = [];
  const buried: string[] = [];
  for (const { key, history, late } of keys) {
    const windows = new Map<number, string[]>();
    for (const { id, time } of history) {
      if (time === null || late.includes(id)) continue;
      const end = windowOf(time, WINDOWS[uid]);
      windows.set(end, [...(windows.get(end) ?? []), id]);
    }
    for (const [end, ids] of windows) {
      if (config.poisonTimers && hash(`${uid} ${key}${end}`) % 4 === 0) buried.push(`event timer ${end} of ${uid} and key s${key}`);
      else fired.push(windowId(uid, key, end, ids));
    }
  }
  const emitted = keys.flatMap((key) => key.emitted.map(([id]) => id).filter((id) => id.startsWith(`${uid}w(`)));
  const timers = letters.filter(({ kind, what }) => kind === 'timer' && what.startsWith('event')).map(({ what }) => what);
  return [...difference(`${uid} windows`, emitted, fired), ...difference(`${uid} buried timers`, timers, buried)];
}

/** Nothing is late by chance; where records are late on purpose, B knows exactly which. */
function checkLate(world: World, { uid, keys }: StageView, replayed: ReadonlySet<string>): string[] {
  const late = keys.flatMap((key) => key.late).filter((id) => !replayed.has(id));
  if ((world.config.replay && uid === 'c') || world.config.idle === 'anytime') return [];
  if (!world.config.late) return difference(`${uid} late`, late, []);
  if (uid === 'c') return [];
  const applied = new Set(keys.flatMap(({ history }) => history.map(({ id }) => id)));
  return difference(
    'b late',
    late,
    expectedLate(world).filter((id) => applied.has(id) && !replayed.has(id)),
  );
}

/** One source partition, one record after the other. */
function expectedLate({ input, config }: World): string[] {
  const late: string[] = [];
  let highest = -Infinity;
  for (const { record, isReadable } of input[0]?.messages ?? []) {
    if (!isReadable) continue;
    const watermark = Math.floor(highest / INTERVAL_MS) * INTERVAL_MS;
    if (record.last !== true && windowOf(record.time, WINDOWS.b) <= watermark) late.push(...itemsFor(config, record).map(({ id }) => id));
    highest = Math.max(highest, record.time - BOUND_MS - 1);
  }
  return late;
}

/** Everything in the log is applied; every gap of a source is counted, once. */
function checkFences(world: World, { uid, fences }: StageView): string[] {
  const stage = world.stageWith(uid);
  const topic = world.topicOf(stage);
  return fences.flatMap((fence, partition) => {
    const input = world.inputOf(topic, partition);
    const task = `${uid}/${partition}`;
    if (fence && fence.verdicts.size > 0) return [`${task}: verdicts left over`];
    if (!input) {
      const left = world.log
        .partition(topic, partition)
        .slice(fence?.next ?? 0)
        .filter(({ value }) => openFrame(value ?? new Uint8Array()).count > 0);
      return left.map(({ offset }) => `${task}: next is ${fence?.next ?? 'none'}, but offset ${offset} has records`);
    }
    const offsets = [...input.messages.map(({ offset }) => offset), ...(input.end === undefined ? [] : [input.end])];
    const gaps = offsets.filter((offset, i) => i > 0 && offset > (offsets[i - 1] ?? 0) + 1).length;
    return (fence?.gaps ?? 0) === gaps ? [] : [`${task}: ${fence?.gaps ?? 0} gaps counted, there are ${gaps}`];
  });
}

/** Messages that cannot be decoded are dead letters of the stage that reads them, in their order. */
function checkInputLetters(world: World, letters: readonly Letter[]): string[] {
  const messages = world.input.flatMap((partition) => partition.messages);
  const unreadable = new Set(messages.filter(({ isReadable }) => !isReadable).map(({ record }) => record.id));
  const found = letters.filter(({ kind, what }) => kind === 'message' && unreadable.has(what)).map(({ what }) => what);
  const errors = difference('unreadable messages', found, [...unreadable]);
  for (const partition of world.input) {
    const order = partition.messages.map(({ record }) => record.id);
    const places = found.filter((id) => order.includes(id)).map((id) => order.indexOf(id));
    if (places.some((place, i) => place < (places[i - 1] ?? -1))) errors.push(`dead letters of ${partition.topic} out of ORDER`);
  }
  return errors;
}

/** Every result and nothing else: at least once, or exactly once and in order. */
function checkSink(world: World, expected: readonly Expected[]): string[] {
  const { config } = world;
  const written = writtenIds(world);
  const wanted = expected.map(({ id }) => id);
  if (!config.exactlyOnce) return difference('sink', [...new Set(written)], [...new Set(wanted)]);
  return [...difference('sink', written, wanted), ...checkOrder(written, expected)];
}

/** What is committed counts, though readers may see it a little later. */
function writtenIds({ log, transactions }: World): string[] {
  const values = [...log.partitions(SINK_TOPIC).flat(), ...transactions.decided(SINK_TOPIC)].map(({ value }) => value);
  return values.map((value) => (JSON.parse(Buffer.from(value ?? []).toString()) as Item).id);
}

/** What one key put out under one key stands in this order, in one partition. */
function checkOrder(written: readonly string[], expected: readonly Expected[]): string[] {
  const lines = new Map<string, string[]>();
  for (const { id, key, line } of expected) lines.set(`${line}>${key}`, [...(lines.get(`${line}>${key}`) ?? []), id]);
  const places = new Map(written.map((id, i) => [id, i]));
  const isInOrder = (ids: readonly string[]): boolean =>
    ids.every((id, i) => i === 0 || (places.get(id) ?? 0) > (places.get(ids[i - 1] ?? '') ?? 0));
  return [...lines].filter(([, ids]) => !isInOrder(ids)).map(([line]) => `sink: ${line} out of ORDER`);
}

/** No fence: the sink has every record once, but for those that a gap was counted for. */
function checkBare(world: World, letters: readonly Letter[]): string[] {
  const written = writtenIds(world);
  const buried = letters.map(({ what }) => what);
  const skipped = [...world.skipped].map(([task, texts]) => ({
    task,
    missed: texts
      .map((text) => (JSON.parse(text.replace(/^bad /, '')) as Item).id)
      .filter((id) => !written.includes(id) && !buried.includes(id)),
  }));
  const missed = skipped.flatMap((one) => one.missed);
  const unseen = skipped.filter((one) => one.missed.length > 0 && !world.gaps.has(one.task));
  const expected = expectedOfInput(world).filter(({ id }) => !missed.includes(id));
  const records = world.input
    .flatMap(({ messages }) => messages)
    .filter(({ record }) => record.last !== true && !missed.includes(record.id));
  return [
    ...difference(
      'sink',
      written,
      expected.map(({ id }) => id),
    ),
    ...checkOrder(written, expected),
    ...difference(
      'dead letters',
      buried,
      records.filter(({ isReadable }) => !isReadable).map(({ record }) => record.id),
    ),
    ...unseen.map(({ task }) => `${task}: records were skipped, and no gap was counted`),
  ];
}

function difference(what: string, found: readonly string[], wanted: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const one of wanted) counts.set(one, (counts.get(one) ?? 0) + 1);
  for (const one of found) counts.set(one, (counts.get(one) ?? 0) - 1);
  const wrong = [...counts].filter(([, count]) => count !== 0);
  return wrong.map(([one, count]) => `${what}: ${count > 0 ? 'LOST' : 'DOUBLE or WRONG'} ${one} x${Math.abs(count)}`);
}
