const HOUR_US = 3_600_000_000;

/** Names hours; rows come by time, so that the name is nearly always the one before. */
export class HourNames {
  #hour = -1;
  #name = "";

  /** @returns `2026-11-21T16:00Z`. @param timeUs microseconds since 1970-01-01 UTC. */
  nameOf(timeUs: number): string {
    const hour = Math.floor(timeUs / HOUR_US);
    if (hour !== this.#hour) {
      this.#hour = hour;
      this.#name = `${new Date((hour * HOUR_US) / 1000).toISOString().slice(0, 13)}:00Z`;
    }
    return this.#name;
  }
}
