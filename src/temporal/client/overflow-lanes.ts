/** Updates of one lane at a time from which on some of the processes go elsewhere. The server refuses the eleventh. */
const crowd = 8;
/** Updates of one lane at a time up to which they may come back. */
const calm = 2;
/** Milliseconds since a lane was crowded before they do. */
const calmAfter = 30_000;
/** Most lanes for the commands of one. */
const maxWidth = 64;
/** Most lanes that are remembered as crowded. */
const maxLanes = 1_000;

interface Spread {
  /** Over how many lanes, a power of 2. */
  readonly width: number;
  readonly crowdedAt: number;
}

/**
 * Spreads processes over more lanes where too many share one. Each process goes by itself: twice as many lanes when its own is
 * crowded, half as many when it has been calm. The commands of an aggregate that come by several lanes meet again in the worker.
 */
export class OverflowLanes {
  readonly #place = Math.floor(Math.random() * maxWidth);
  /** By lane, those that are spread. */
  readonly #spreads = new Map<string, Spread>();

  /** The lane that this process uses for another: 0 for itself, else the number of its overflow lane. */
  numberFor(laneId: string): number {
    return this.#place % (this.#spreads.get(laneId)?.width ?? 1);
  }

  /** @param number of the overflow lane that answered */
  onReply(laneId: string, number: number, updatesInFlight: number): void {
    if (number !== this.numberFor(laneId)) return;
    const spread = this.#spreads.get(laneId);
    if (updatesInFlight >= crowd) {
      this.onCrowded(laneId);
    } else if (spread !== undefined && updatesInFlight <= calm && Date.now() - spread.crowdedAt > calmAfter) {
      this.#spreads.delete(laneId);
      if (spread.width > 2) this.#spreads.set(laneId, { width: spread.width / 2, crowdedAt: Date.now() });
    }
  }

  onCrowded(laneId: string): void {
    const width = Math.min(maxWidth, 2 * (this.#spreads.get(laneId)?.width ?? 1));
    this.#spreads.delete(laneId);
    this.#spreads.set(laneId, { width, crowdedAt: Date.now() });
    const [oldest] = this.#spreads.keys();
    if (this.#spreads.size > maxLanes && oldest !== undefined) this.#spreads.delete(oldest);
  }
}
