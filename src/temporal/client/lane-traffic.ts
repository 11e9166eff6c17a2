import type { LaneReply } from '../shared/command-lane.js';

/**
 * Updates of one lane at a time from which on some of the processes go elsewhere. The server refuses the eleventh, and some have
 * come to it that the lane has not seen yet.
 */
const crowd = 6;
/** Updates of one lane at a time up to which they may come back. */
const calm = 2;
/** Milliseconds since a lane was crowded before they do. */
const calmAfter = 30_000;
/** Most lanes for the commands of one. */
const maxWidth = 64;
/** Most lanes of which something is remembered. */
const maxLanes = 1_000;

interface Spread {
  /** Over how many lanes, a power of 2. */
  readonly width: number;
  /** When it was crowded; undefined where it never was. */
  readonly crowdedAt?: number;
}

/** Milliseconds in which others may come to know that a run is about to end, and it ends. */
const pause = 100;

/**
 * Spreads processes over more lanes where too many share one. Each process goes by itself: twice as many lanes when its own is
 * crowded, half as many when it is calm. It begins with many: to meet the server's limit costs all who share the lane, because
 * the server then drops what it has of their updates. The commands of an aggregate that come by several lanes meet again in the
 * worker.
 *
 * It also knows when an update should wait, because the run of its lane is about to end.
 */
export class LaneTraffic {
  readonly #place = Math.floor(Math.random() * maxWidth);
  /** By lane and number, until when nothing is sent to it. */
  readonly #pauses = new Map<string, number>();
  /** By lane. */
  readonly #spreads = new Map<string, Spread>();
  /** The spread of lanes that nothing is known about. */
  #usual: Spread;

  /** @param width over how many lanes it spreads at first, a power of 2 */
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
   * @param isLate whether it was refused at first
   */
  onReply(
    laneId: string,
    number: number,
    { updatesInFlight, isEnding }: Pick<LaneReply, 'updatesInFlight' | 'isEnding'>,
    isLate: boolean,
  ): void {
    // One that is alone can't meet the end: its answer comes with it.
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
    // What is calm on one lane is likely so on those that come next.
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
