import type { DeadLetterView } from '../../local/inspect/dead-letter.ts';
import { parseDeadLetter } from '../../local/inspect/dead-letter.ts';
import { routeOf } from '../../local/replay/replay-route.ts';
import { replayLetters, type RoutedLetter } from '../../local/replay/replayer.ts';
import { isMillraceError } from '../../functions/shared/errors.ts';
import type { Owner } from './simulator.ts';
import type { World } from './world.ts';

/** A `millrace dlq replay`: a process that may die at any append, and is not started again. */
class Command implements Owner {
  readonly name: string;
  readonly time = 0;
  readonly deadline = Infinity;
  dead = false;

  constructor(name: string) {
    this.name = name;
  }

  crash(): void {
    this.dead = true;
  }
}

/** Starts a command that replays, in this order, every dead letter that is there by then. What it throws for other reasons than faults, it reports. */
export function spawnReplay(world: World, name: string, steps: number, order: (letters: RoutedLetter[]) => RoutedLetter[]): void {
  world.simulator.later(name, steps, () => {
    const owner = new Command(name);
    const ports = { channels: world.log.connect(owner, 'R1'), transactions: world.transactions.connect(owner) };
    const target = { channels: ports.channels, portsOf: () => ports };
    const options = { project: world, target, print: () => undefined, log: () => undefined };
    const letters = order(routedLetters(world));
    world.simulator.log(`${name}: ${letters.map(({ letter }) => letter.offset).join()}`);
    replayLetters(letters, options).catch((error: unknown) => {
      if (!isMillraceError(error, 'MILLRACE_PRODUCE_FAILED') && !isMillraceError(error, 'MILLRACE_CONNECTION_LOST'))
        world.unexpected.push(`${name}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`);
    });
  });
}

function routedLetters(world: World): RoutedLetter[] {
  return lettersOf(world).flatMap((letter) => {
    const route = routeOf(letter, world.plan);
    return route.by === 'none' ? [] : [{ letter, ...route }];
  });
}

function lettersOf({ log, plan }: World): DeadLetterView[] {
  return log
    .partition(plan.deadLetterTopic, 0)
    .map(({ offset, time, key, value, headers = [] }) => parseDeadLetter({ partition: 0, offset, timestamp: time, key, value, headers }));
}
