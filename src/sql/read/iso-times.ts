/**
 * Writes times in ISO 8601 for rows read one after the other: most events follow each other within a minute, so it
 * keeps the minute's text.
 */
export class IsoTimes {
  #minute = NaN;
  #prefix = '';

  /** @param time whole milliseconds since 1970 */
  write(time: number): string {
    const minute = Math.floor(time / 60_000);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#prefix = new Date(minute * 60_000).toISOString().slice(0, -'00.000Z'.length);
    }
    // The digit in front keeps leading zeros.
    const digits = String(100_000 + time - minute * 60_000);
    return `${this.#prefix}${digits.slice(1, 3)}.${digits.slice(3)}Z`;
  }
}
