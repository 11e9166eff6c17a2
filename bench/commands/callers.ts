import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { EventSource } from '../workload/events.js';
import type { Ledger } from '../workload/ledger.js';
import { account } from './account.js';
import type { Command, CommandSession } from './contender.js';
import type { Aggregates } from './workloads.js';

export interface CommandLoad {
  readonly callers: number;
  readonly aggregates: Aggregates;
  /** Seconds in which answers are counted. */
  readonly window: number;
}

export interface CommandResult {
  readonly commandsPerSecond: number;
  /** Milliseconds of each command that was answered in the window, with all that went wrong meanwhile. */
  readonly latencies: readonly number[];
  /** How often each was thrown, by its message. The command was then sent again. */
  readonly errors: ReadonlyMap<string, number>;
  /** Commands that had no answer long after the window. */
  readonly unanswered: number;
  /** Answers in the window, of the process that got the fewest. */
  readonly fewest: number;
}

/** Seconds before the window, if not every caller has had an answer earlier. */
const maxWarmUp = 20;
/** Seconds after the window in which what failed is still sent again. */
const maxRepeat = 10;
/** Milliseconds before a command is sent again. */
const backoff = 100;

/**
 * Each caller sends one command after the other, and the same again after an error.
 *
 * @param sessions one for each process; the callers are dealt out to them
 */
export async function runCallers(
  sessions: readonly CommandSession[],
  nextEvent: EventSource,
  ledger: Ledger,
  { callers, aggregates, window }: CommandLoad,
): Promise<CommandResult> {
  const latencies: number[] = [];
  const errors = new Map<string, number>();
  let phase: 'warm-up' | 'window' | 'end' = 'warm-up';
  let giveUpAt = Infinity;
  let unanswered = 0;

  const answered = sessions.map(() => 0);
  const deliver = async (session: CommandSession, command: Command): Promise<number | undefined> => {
    while (performance.now() < giveUpAt) {
      try {
        return await session.send(command);
      } catch (error) {
        const message = describe(error);
        errors.set(message, (errors.get(message) ?? 0) + 1);
        await delay(backoff);
      }
    }
    return undefined;
  };
  const caller = async (number: number, onAnswer: () => void) => {
    const index = number % sessions.length;
    const session = sessions[index] as CommandSession;
    while (phase !== 'end') {
      const event = nextEvent();
      const id = aggregates === 'new' ? randomUUID() : String(randomInt(aggregates));
      const command: Command = { id, commandId: randomUUID(), data: event.data };
      const sent = performance.now();
      unanswered++;
      const version = await deliver(session, command);
      if (version === undefined) return;
      unanswered--;
      ledger.acknowledge({
        streamId: `${account.category}-${id}`,
        expectedVersion: version - 1,
        commitId: command.commandId,
        events: [event],
      });
      if (phase === 'window') {
        latencies.push(performance.now() - sent);
        answered[index] = (answered[index] ?? 0) + 1;
      }
      onAnswer();
    }
  };

  const running: Promise<void>[] = [];
  const firstAnswers = Array.from({ length: callers }, (_, number) => {
    return new Promise<void>((resolve) => running.push(caller(number, resolve)));
  });
  await waitAtMost(maxWarmUp, Promise.all(firstAnswers));
  await delay(window * 100);
  const start = performance.now();
  phase = 'window';
  await delay(window * 1000);
  phase = 'end';
  const commandsPerSecond = latencies.length / ((performance.now() - start) / 1000);
  giveUpAt = performance.now() + maxRepeat * 1000;
  await Promise.all(running);
  return { commandsPerSecond, latencies, errors, unanswered, fewest: Math.min(...answered) };
}

/** Temporal's errors say what happened in their cause. */
function describe(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

async function waitAtMost(seconds: number, promise: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  try {
    await Promise.race([promise, delay(seconds * 1000, undefined, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}
