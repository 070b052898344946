export { kafkaSink as sink } from './sink.ts';
export { kafkaSource as source } from './source.ts';
