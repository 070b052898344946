/** The state store in memory is the tree that the coordination port has there. */
export { MemoryTree as MemoryStateBackend } from '../../coordination/memory/memory-tree.ts';
