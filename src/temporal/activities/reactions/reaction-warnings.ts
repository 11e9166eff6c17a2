import type { ConsequenceOrigin } from '../../../core/reactions/consequences.js';
import { suspiciousDepth } from '../../../core/reactions/reaction-depth.js';
import { activityLogger, type ActivityLogger } from '../logged.js';

/** Milliseconds between two log entries about one reaction. */
const logInterval = 60_000;
/** Milliseconds for which a warning is shown after its cause. */
const shownFor = 5 * 60_000;

/** Notices reactions that seem to feed themselves, and warns of them. */
export class ReactionWarnings {
  readonly #logger: ActivityLogger | undefined;
  readonly #now: () => number;
  readonly #noted = new Map<string, { at: number; loggedAt: number; text: string }>();

  constructor(logger?: ActivityLogger, now = () => performance.now()) {
    this.#logger = logger;
    this.#now = now;
  }

  /** Notes a command that a reaction sends. */
  note({ reaction, event, depth }: ConsequenceOrigin): void {
    if (depth < suspiciousDepth) return;
    const at = this.#now();
    const text = `'${reaction}' seems to feed itself: ${depth} reactions led to its command, one after the other.`;
    const loggedAt = this.#noted.get(reaction)?.loggedAt ?? -Infinity;
    const isDue = at - loggedAt >= logInterval;
    if (isDue) {
      const attributes = { reaction, depth, eventId: event.id, type: event.type, streamId: event.streamId };
      (this.#logger ?? activityLogger()).warn('A reaction seems to feed itself', attributes);
    }
    this.#noted.set(reaction, { at, loggedAt: isDue ? at : loggedAt, text });
  }

  /** The current warning about a projection. */
  of(name: string): string | undefined {
    const noted = this.#noted.get(name);
    return noted !== undefined && this.#now() - noted.at < shownFor ? noted.text : undefined;
  }
}
