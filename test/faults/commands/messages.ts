import type { WalletCommand } from './commands.js';
import type { Answer } from './journal-lines.js';

/** What the run tells a process of callers. */
export type CallerOrder =
  | { readonly kind: 'send'; readonly commands: readonly WalletCommand[]; readonly timeout: number }
  /** End, once all is answered. */
  | { readonly kind: 'finish' };

export type CallerReport =
  | { readonly kind: 'sending'; readonly command: WalletCommand }
  | { readonly kind: 'answered'; readonly command: WalletCommand; readonly answer: Answer };

/** What the run tells the foreign writer. */
export type ForeignOrder =
  /** Take half of what is in the wallet, or fill it up when it is empty. */
  { readonly kind: 'append'; readonly id: string } | { readonly kind: 'finish' };

export type ForeignReport = { readonly kind: 'appended' } | { readonly kind: 'conflict' };

/** What the run tells the worker. */
export type WorkerOrder = DeathOrder | { readonly kind: 'stop' };

/** Die by SIGKILL at the append after so many others. */
export interface DeathOrder {
  readonly kind: 'die';
  readonly when: 'before COMMIT' | 'after COMMIT';
  readonly afterAppends: number;
}

export type WorkerReport =
  | { readonly kind: 'ready' }
  /** An append ended, with the code of its error. */
  | { readonly kind: 'append'; readonly error?: string }
  /** What comes before an append has failed, with the code of its error. */
  | { readonly kind: 'failed read'; readonly error: string };
