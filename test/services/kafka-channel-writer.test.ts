import type { ChannelWriter } from '../../functions/channels/channel-writer.ts';
import { createKafkaChannelWriter } from '../../functions/channels/kafka/channel-writer.ts';
import { parseKafkaConfig } from '../../functions/channels/kafka/config.ts';
import { readKafkaTopic, type TopicMessage } from '../../local/kafka/topic-reader.ts';
import { channelWriterContract } from '../contract/channel-writer.ts';
import { createTestTopic, freshName } from '../helpers/kafka.ts';
import { describeWithServices } from '../helpers/services.ts';

/** The contract's topics, under names of this test's own. */
function prefixed(writer: ChannelWriter, prefix: string): ChannelWriter {
  return {
    append: (topic, partition, messages) => writer.append(`${prefix}.${topic}`, partition, messages),
    partitionCount: (topic) => writer.partitionCount(`${prefix}.${topic}`),
    close: () => writer.close(),
  };
}

function suite(name: string, address: string): void {
  const config = parseKafkaConfig({ MILLRACE_KAFKA: address });
  channelWriterContract(name, () => {
    const prefix = freshName('contract');
    const writer = createKafkaChannelWriter(config);
    return Promise.resolve({
      writer: prefixed(writer, prefix),
      createTopic: (topic, partitions, maxMessageBytes) =>
        createTestTopic(config, `${prefix}.${topic}`, partitions, { 'max.message.bytes': String(maxMessageBytes ?? 1_048_588) }),
      async read(topic, partition) {
        const messages: TopicMessage[] = [];
        await readKafkaTopic(config, `${prefix}.${topic}`, (message) => messages.push(message));
        return messages.filter((message) => message.partition === partition);
      },
      close: () => writer.close(),
    });
  });
}

describeWithServices(['kafka'], 'Kafka 3.9', ({ kafka }) => suite('Kafka 3.9', kafka.address));
describeWithServices(['kafka4'], 'Kafka 4', ({ kafka4 }) => suite('Kafka 4', kafka4.address));
