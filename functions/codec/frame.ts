export { FRAME_VERSION } from './frame-format.ts';
export { type FrameListMark, FrameListWriter, idleFrame, tickFrame } from './frame-writer.ts';
export { FrameReader, openFrame } from './frame-reader.ts';
