import type { Arena } from './arena.js';
import type { WalletCommand } from './commands.js';

/** What load meets by chance only, made to happen: each is where one guard of exactly once is needed. */
export async function playScenes(arena: Arena): Promise<void> {
  const send = async (id: string, name: WalletCommand['name'], amount: number): Promise<void> => {
    const commandId = `scene-${id}-${name}-${crypto.randomUUID()}`;
    arena.send([{ commandId, id, name, amount }], 60_000);
    await arena.settle(`a ${name} in the scene "${id}"`);
  };
  const appendFromElsewhere = async (id: string): Promise<void> => {
    arena.appendFromElsewhere(id);
    await arena.settle(`an append from elsewhere in the scene "${id}"`);
  };

  // A commit whose answer is lost is not rejected, though the state no longer allows it.
  await send('unheard', 'deposit', 10);
  arena.armWorker('after COMMIT');
  await send('unheard', 'withdraw', 10);

  // The worker's state is from before another's append, which has taken half,
  await send('emptied', 'deposit', 10);
  await appendFromElsewhere('emptied');
  await send('emptied', 'withdraw', 10);

  // or has filled up what was empty.
  await send('filled', 'deposit', 10);
  await send('filled', 'withdraw', 10);
  await appendFromElsewhere('filled');
  await send('filled', 'withdraw', 10);
}
