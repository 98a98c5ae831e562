/** So many at a time, and whoever comes too many waits. For one caller that takes, and many that give back. */
export class Places {
  readonly #count: number;
  #taken = 0;
  #waiting: (() => void) | undefined;

  /** @param count at least 1. */
  constructor(count: number) {
    this.#count = count;
  }

  async take(): Promise<void> {
    if (this.#taken >= this.#count) await this.#change();
    this.#taken++;
  }

  giveBack(): void {
    this.#taken--;
    const wake = this.#waiting;
    this.#waiting = undefined;
    wake?.();
  }

  /** Waits until nobody has one. */
  async empty(): Promise<void> {
    while (this.#taken > 0) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => (this.#waiting = resolve));
  }
}
