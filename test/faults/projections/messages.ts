import type { Owner } from './ledger.js';

/** Where a worker can be struck. */
export type Moment =
  | 'before BEGIN'
  | 'in a page'
  | 'before COMMIT'
  | 'after COMMIT'
  | 'before COMMIT of the switch'
  | 'after COMMIT of the switch';

/** What the run tells a worker. */
export type WorkerOrder =
  /** Send yourself a signal, the next time that you get there. */
  | { readonly kind: 'strike'; readonly moment: Moment; readonly signal: 'SIGKILL' | 'SIGSTOP' }
  /** Don't, after all. */
  | { readonly kind: 'spare' };

export type WorkerReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'acquired'; readonly owner: Owner }
  /** The transaction of a page was committed. */
  | { readonly kind: 'page'; readonly owner: Owner }
  /** It was not: the sink has another owner, or its error. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'failed'; readonly error: string };

/** What the run tells the writer: to end. */
export interface WriterOrder {
  readonly kind: 'finish';
}

export type WriterReport =
  | { readonly kind: 'appended'; readonly position: number; readonly events: number }
  | { readonly kind: 'finished' };
