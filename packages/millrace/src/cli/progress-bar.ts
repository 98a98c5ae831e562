import type { Clock } from "../core/clock.ts";
import type { CommandIo } from "./command.ts";

/** What takes less than this shows no bar. */
const SHOWN_AFTER_MS = 1000;
/** Time between two pictures of it. */
const DRAWN_EVERY_MS = 200;
const WIDTH = 30;

/** How far something is, on the last line of a terminal; nothing where errors do not go to one. */
export class ProgressBar {
  /** What is done of the total. */
  done = 0;
  readonly #stderr: CommandIo["stderr"];
  readonly #total: number;
  readonly #clock: Clock;
  #cancel: (() => void) | undefined;
  #isDrawn = false;

  /** @param total what `done` counts up to. */
  constructor(stderr: CommandIo["stderr"], total: number, clock: Clock) {
    this.#stderr = stderr;
    this.#total = total;
    this.#clock = clock;
    if (stderr.isTTY === true) this.#drawIn(SHOWN_AFTER_MS);
  }

  #drawIn(delayMs: number): void {
    this.#cancel = this.#clock.schedule(delayMs, () => {
      this.#draw();
      this.#drawIn(DRAWN_EVERY_MS);
    });
  }

  #draw(): void {
    const share = this.#total === 0 ? 1 : Math.min(1, this.done / this.#total);
    const full = Math.round(share * WIDTH);
    const bar = "█".repeat(full) + "░".repeat(WIDTH - full);
    const percent = Math.floor(share * 100);
    this.#stderr.write(`\r${bar} ${percent} %  ${this.done} of ${this.#total}`);
    this.#isDrawn = true;
  }

  /** Takes it away. */
  end(): void {
    this.#cancel?.();
    if (this.#isDrawn) this.#stderr.write("\r\u001b[2K");
  }
}
