export { fileSink as sink } from './sink.ts';
export { fileSource as source } from './source.ts';
