import type { AssignerShape } from '../../graph/window-shape.ts';
import { namespaceOf } from '../../state/tables.ts';
import { alignedWindows } from '../../time/windows/aligned-windows.ts';
import { GLOBAL_WINDOW, type NamedWindow } from '../../time/windows/window.ts';
import type { Operator, OperatorSetup } from '../operator.ts';
import { createContents } from './contents.ts';
import { elementTime } from './element-time.ts';
import { createTrigger, forget } from './trigger.ts';
import { WindowTable } from './window-table.ts';
import { registeredTime } from './window-timers.ts';
import { Windowing } from './windowing.ts';

/** Windows that never merge: tumbling, sliding, global. Each has contents of its own. */
export function separateOperator(setup: OperatorSetup<'window'>): Operator {
  const { node, context } = setup;
  const shape = node.window;
  const windowing = new Windowing(setup);
  const { scope, fn, time } = windowing;
  const table = new WindowTable(context, scope.operator, '$window');
  const contents = createContents(shape, table, () => scope.watermark);
  const trigger = createTrigger(shape.trigger, time, scope);
  const windowsOf = assign(shape.assigner);

  const { timerOperator } = scope;
  timerOperator.fire = (domain, timer) => {
    const at = registeredTime(domain, timer);
    const window = windowing.windowOf(namespaceOf(timer) ?? '');
    const entry = table.entry(window.text);
    windowing.settle(contents, window, entry, trigger.onTime(window, domain, at));
    if (domain !== time || at !== windowing.cleanupTime(window)) return;
    contents.clear(entry);
    trigger.clear(window);
    fn.clear(window);
  };
  timerOperator.abandon = (domain, timer) => {
    const window = windowing.windowOf(namespaceOf(timer) ?? '');
    if (domain !== time || registeredTime(domain, timer) !== windowing.cleanupTime(window)) return;
    contents.clear(table.entry(window.text));
    forget(trigger, window);
    fn.clear(window);
  };

  return {
    process: (value) => {
      const { timestamp } = context;
      const windows = time === undefined ? [GLOBAL_WINDOW] : windowsOf(elementTime(time, context));
      let isSkipped = windows.length > 0;
      for (const window of windows) {
        if (windowing.isLate(window.maxTimestamp)) continue;
        isSkipped = false;
        const entry = table.entry(window.text);
        const isFirst = contents.add(entry, value, timestamp);
        if (isFirst) windowing.registerCleanup(window);
        const result = trigger.onElement(window, value, timestamp, isFirst);
        if (result !== 'CONTINUE') windowing.settle(contents, window, entry, result);
      }
      if (isSkipped) windowing.dropLate(value);
    },
    timers: timerOperator,
  };
}

function assign(assigner: AssignerShape): (time: number) => readonly NamedWindow[] {
  switch (assigner.kind) {
    case 'tumbling':
      return alignedWindows(assigner.sizeMs, assigner.sizeMs, assigner.offsetMs);
    case 'sliding':
      return alignedWindows(assigner.sizeMs, assigner.slideMs, assigner.offsetMs);
    default:
      return () => [GLOBAL_WINDOW];
  }
}
