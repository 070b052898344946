export { fileSource as source } from './source.ts';
