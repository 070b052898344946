/** A priority queue: `peek` and `pop` give a smallest element. */
export interface BinaryHeap<T> {
  push(item: T): void;
  peek(): T | undefined;
  pop(): T | undefined;
}

export function binaryHeap<T>(compare: (a: T, b: T) => number): BinaryHeap<T> {
  const items: T[] = [];
  return {
    push(item) {
      items.push(item);
      siftUp(items, compare);
    },
    peek: () => items[0],
    pop() {
      const first = items[0];
      const last = items.pop();
      if (items.length > 0) {
        items[0] = last as T;
        siftDown(items, compare);
      }
      return first;
    },
  };
}

function siftUp<T>(items: T[], compare: (a: T, b: T) => number): void {
  let at = items.length - 1;
  const item = items[at] as T;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = items[parent] as T;
    if (compare(item, above) >= 0) break;
    items[at] = above;
    at = parent;
  }
  items[at] = item;
}

function siftDown<T>(items: T[], compare: (a: T, b: T) => number): void {
  const item = items[0] as T;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= items.length) break;
    if (child + 1 < items.length && compare(items[child + 1] as T, items[child] as T) < 0) child++;
    if (compare(items[child] as T, item) >= 0) break;
    items[at] = items[child] as T;
    at = child;
  }
  items[at] = item;
}
