import type { WalletCommand } from './commands.js';

/** What a caller was answered. */
export type Answer =
  | {
      readonly kind: 'committed';
      readonly version: number;
      readonly eventIds: readonly string[];
      readonly deduplicated: boolean;
    }
  /** For want of funds. */
  | { readonly kind: 'rejected' }
  /** COMMAND_OUTCOME_UNKNOWN: it is asked again. */
  | { readonly kind: 'unknown' }
  /** Another error, which nothing in this run may lead to. */
  | { readonly kind: 'failed'; readonly error: string };

/** What a caller knows of its calls. */
export type CallerLine =
  /** Written before the command is sent; `at` in milliseconds since 1970. */
  | readonly ['sent', call: string, command: WalletCommand, at: number]
  | readonly ['answered', call: string, answer: Answer, at: number];

/** What the foreign writer knows of its appends. */
export type ForeignLine =
  | readonly ['sent', commitId: string, id: string, amount: number, at: number]
  | readonly ['acknowledged', commitId: string, version: number, at: number]
  /** Refused for its expected version, and so not stored. */
  | readonly ['refused', commitId: string];
