/**
 * Two stages by hand, with the harness's own clients but without the runtime: `first` copies each record of the feed to the channel,
 * and at the end one record 'end'; `second` copies the channel to the sink topic, and notes in the state store that it has seen the end.
 */
export const HANDLER = `
import { channel } from 'node:diagnostics_channel';
import { openEmbeddedChannelWriter } from './functions/channels/embedded/channel-writer.ts';
import { openEmbeddedStateBackend } from './functions/state/embedded/state-backend.ts';
const log = openEmbeddedChannelWriter(process.env.MILLRACE_EMBEDDED);
const state = openEmbeddedStateBackend(process.env.MILLRACE_EMBEDDED);
let failures = Number(process.env.FAILURES ?? 0);

async function copy(list) {
  const { topic, partition } = list[0];
  const values = list.map(({ value }) => Buffer.from(value, 'base64'));
  const records = values.filter((value) => value.toString() !== 'end');
  await log.append(STAGE === 'first' ? 'channel' : 'out', partition, records.map((value) => ({ key: null, value })));
  const times = list.map(({ timestamp }) => timestamp);
  channel('millrace:stage:batch').publish({
    pipeline: 'p', stage: STAGE, topic, partition, firstOffset: list[0].offset, lastOffset: list.at(-1).offset,
    recordsIn: records.length, recordsOut: records.length, bytesIn: 0, bytesOut: 0, duplicates: 0, deadLetters: 0, retries: 0, gaps: 0,
    conflicts: Number(process.env.CONFLICTS ?? 0),
    tombstones: 0, coldState: false, watermark: -Infinity, ingest: [[Math.min(...times), Math.max(...times), records.length]], keys: [], durationMs: 1,
  });
  if (values.length > records.length) await state.multi([{ op: 'create', path: '/end/' + partition, data: Buffer.from(String(list.at(-1).offset + 1)) }])
    .catch((error) => { if (error.code !== 'MILLRACE_NODE_EXISTS') throw error; }); // the end comes with every run
}

export async function handler(event) {
  if (failures-- > 0) throw Object.assign(new Error('not yet'), { code: 'MILLRACE_CONFLICT' });
  if (event.eventSource !== 'millrace:end') await Promise.all(Object.values(event.records).map(copy));
  else for (const { partition } of event.partitions) {
    console.log('end ' + event.generation + ' ' + partition);
    await log.append('channel', partition, [{ key: null, value: Buffer.from('end') }]);
  }
  return { batchItemFailures: [] };
}
`;
