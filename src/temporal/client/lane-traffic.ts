import type { LaneReply } from '../shared/command-lane.js';

/**
 * Updates under way in a lane from which on some processes leave it. The server refuses the eleventh, and may have
 * some that the lane hasn't seen yet.
 */
const crowd = 6;
/** Updates under way in a lane up to which processes may come back. */
const calm = 2;
/** Milliseconds after a lane was crowded before processes come back. */
const calmAfter = 30_000;
/** Most lanes that one lane is spread over. */
const maxWidth = 64;
/** Most lanes that are remembered. */
const maxLanes = 1_000;

interface Spread {
  /** Number of lanes, a power of 2. */
  readonly width: number;
  /** When the lane was last crowded; undefined if it never was. */
  readonly crowdedAt?: number;
}

/** Milliseconds in which the other processes learn that a run is about to end, and it ends. */
const pause = 100;

/**
 * Spreads processes over more lanes when too many share one. Each process decides by itself: it doubles the number of
 * lanes when its own is crowded, and halves it when it is calm. It begins with many: exceeding the server's limit
 * costs all processes of the lane, because the server then drops their updates. The commands of an aggregate that
 * come by several lanes meet again in the worker.
 *
 * It also knows when an update should wait, because the run of its lane is about to end.
 */
export class LaneTraffic {
  readonly #place = Math.floor(Math.random() * maxWidth);
  /** The end of a lane's pause, by lane and number. */
  readonly #pauses = new Map<string, number>();
  /** By lane. */
  readonly #spreads = new Map<string, Spread>();
  /** The spread for lanes that nothing is known about. */
  #usual: Spread;

  /** @param width number of lanes at first, a power of 2 */
  constructor(width: number) {
    this.#usual = { width };
  }

  /** The lane that this process uses for another: 0 for itself, else the number of its overflow lane. */
  numberFor(laneId: string): number {
    return this.#place % this.#spreadOf(laneId).width;
  }

  /** Milliseconds to wait before the next update. */
  pauseFor(laneId: string, number: number): number {
    const key = `${number} ${laneId}`;
    const rest = (this.#pauses.get(key) ?? 0) - Date.now();
    if (rest <= 0) this.#pauses.delete(key);
    return Math.max(0, rest);
  }

  /**
   * @param number of the overflow lane that answered
   * @param isLate whether the update was refused at first
   */
  onReply(
    laneId: string,
    number: number,
    { updatesInFlight, isEnding }: Pick<LaneReply, 'updatesInFlight' | 'isEnding'>,
    isLate: boolean,
  ): void {
    // A single update can't meet the end: its answer comes with it.
    if (isEnding === true && updatesInFlight > 1) {
      this.#pauses.set(`${number} ${laneId}`, Date.now() + pause * (1 + Math.random()));
      forgetOldest(this.#pauses);
    }
    if (number !== this.numberFor(laneId)) return;
    const { width, crowdedAt = -Infinity } = this.#spreadOf(laneId);
    if (updatesInFlight >= crowd || (isLate && updatesInFlight > calm)) {
      this.onCrowded(laneId);
    } else if (width > 1 && updatesInFlight <= calm && Date.now() - crowdedAt > calmAfter) {
      this.#spread(laneId, {
        width: width / 2,
        ...(Number.isFinite(crowdedAt) && { crowdedAt: Date.now() }),
      });
    }
  }

  onCrowded(laneId: string): void {
    this.#spread(laneId, {
      width: Math.min(maxWidth, 2 * this.#spreadOf(laneId).width),
      crowdedAt: Date.now(),
    });
  }

  #spreadOf(laneId: string): Spread {
    return this.#spreads.get(laneId) ?? this.#usual;
  }

  #spread(laneId: string, spread: Spread): void {
    // If one lane is calm, the next ones likely are.
    if (spread.crowdedAt === undefined) this.#usual = spread;
    this.#spreads.delete(laneId);
    if (spread.width === this.#usual.width) return;
    this.#spreads.set(laneId, spread);
    forgetOldest(this.#spreads);
  }
}

function forgetOldest(lanes: Map<string, unknown>): void {
  const [oldest] = lanes.keys();
  if (lanes.size > maxLanes && oldest !== undefined) lanes.delete(oldest);
}
