import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseKafkaConfig } from '../../../../functions/channels/kafka/config.ts';
import { int16, int32, text } from '../../../../functions/channels/kafka/wire.ts';
import { topicRanges } from '../../../../local/kafka/topic-reader.ts';

const [METADATA, API_VERSIONS] = [3, 18];
const UNKNOWN_TOPIC = 3;

let broker: Server;
let address = '';

/** A broker without topics, which speaks the oldest versions of two requests. */
beforeAll(async () => {
  broker = createServer((socket) => {
    let received = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        const request = received.subarray(4, 4 + received.readInt32BE(0));
        received = received.subarray(4 + request.length);
        const body = Buffer.concat([int32(request.readInt32BE(4)), answerTo(request)]);
        socket.write(Buffer.concat([int32(body.length), body]));
      }
    });
  }).listen(0, '127.0.0.1');
  await once(broker, 'listening');
  address = `127.0.0.1:${(broker.address() as AddressInfo).port}`;
});
afterAll(() => {
  broker.close();
});

function answerTo(request: Buffer): Buffer {
  if (request.readInt16BE(0) === API_VERSIONS) {
    const throttle = request.readInt16BE(2) > 0 ? int32(0) : Buffer.alloc(0);
    const versions = [METADATA, API_VERSIONS].map((key) => Buffer.concat([int16(key), int16(0), int16(0)]));
    return Buffer.concat([int16(0), int32(versions.length), ...versions, throttle]);
  }
  const { port } = broker.address() as AddressInfo;
  const brokers = [int32(1), int32(0), text('127.0.0.1'), int32(port)];
  const topics = [int32(1), int16(UNKNOWN_TOPIC), text('nosuch'), int32(0)];
  return Buffer.concat([...brokers, ...topics]);
}

test('a topic that is not there is called so by its name', async () => {
  const config = parseKafkaConfig({ MILLRACE_KAFKA: address });

  await expect(topicRanges(config, 'nosuch')).rejects.toMatchObject({
    code: 'MILLRACE_TOPIC_MISSING',
    message: `there is no topic nosuch at brokers ${address}; correct its name, or the --kafka that was given`,
  });
});
