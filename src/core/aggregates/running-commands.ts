import { InvalidArgumentError } from '../errors/invalid-argument-error.js';

/** A command that runs: with which home stream, of which store. */
interface RunningCommand {
  readonly store: object;
  readonly streamId: string;
  isRunning: boolean;
  /** That in which it was called. */
  readonly outer: RunningCommand | undefined;
}

/** What is used of Node's class of this name. */
interface AsyncLocalStorage<T> {
  getStore(): T | undefined;
  run<R>(value: T, callback: () => R): R;
}
type AsyncLocalStorageClass = new <T>() => AsyncLocalStorage<T>;

/**
 * Node's own, without an import of it, which this folder must not have: Temporal's sandbox gives it to workflows as a global, and Node
 * by `process.getBuiltinModule` (20.16 and newer). Where neither is there, nobody knows what is called inside what.
 */
function findAsyncLocalStorage(): AsyncLocalStorageClass | undefined {
  const { AsyncLocalStorage, process } = globalThis as {
    readonly AsyncLocalStorage?: AsyncLocalStorageClass;
    readonly process?: {
      getBuiltinModule?(name: string): { readonly AsyncLocalStorage: AsyncLocalStorageClass } | undefined;
    };
  };
  return AsyncLocalStorage ?? process?.getBuiltinModule?.('node:async_hooks')?.AsyncLocalStorage;
}

let found: { readonly running: AsyncLocalStorage<RunningCommand> | undefined } | undefined;

/** Made when it is first asked for: in a workflow, by the workflow. */
function runningCommands(): AsyncLocalStorage<RunningCommand> | undefined {
  if (found === undefined) {
    const Storage = findAsyncLocalStorage();
    found = { running: Storage && new Storage<RunningCommand>() };
  }
  return found.running;
}

/** Whether a command runs in which this is called. */
export function isInCommand(): boolean {
  return commandsAround().length > 0;
}

/** @throws InvalidArgumentError inside of a command with the same home stream */
export function assertNotNested(store: object, streamId: string): void {
  const isNested = commandsAround().some(
    (command) => command.store === store && command.streamId === streamId,
  );
  if (!isNested) return;
  throw new InvalidArgumentError(
    `'execute' was called inside a command to the same stream, '${streamId}'. It would change what that command has loaded and is ` +
      `deciding on. Call methods of the aggregate that the command gets, or 'execute' when it has ended.`,
  );
}

/** Runs a command so that what is called in it is known to be. */
export async function runCommand<T>(store: object, streamId: string, run: () => Promise<T>): Promise<T> {
  const running = runningCommands();
  if (running === undefined) return run();
  const command: RunningCommand = { store, streamId, isRunning: true, outer: running.getStore() };
  try {
    return await running.run(command, run);
  } finally {
    // What it has set going, and didn't wait for, may go on.
    command.isRunning = false;
  }
}

function commandsAround(): readonly RunningCommand[] {
  const commands: RunningCommand[] = [];
  for (let command = runningCommands()?.getStore(); command !== undefined; command = command.outer) {
    if (command.isRunning) commands.push(command);
  }
  return commands;
}
