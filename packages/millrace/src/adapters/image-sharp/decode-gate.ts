import type { Cancellation } from "../../core/cancellation.ts";
import { MillraceError } from "../../core/errors.ts";

/** Pictures that wait for a place; one more is refused. */
const WAITING_MAX = 1_000;

/** Lets a few decode at a time, in the order they came. */
export class DecodeGate {
  readonly placesMax: number;
  #takenCount = 0;
  readonly #waiting = new Set<() => void>();

  /** @param placesMax at least 1. */
  constructor(placesMax: number) {
    this.placesMax = placesMax;
  }

  /**
   * Waits for a place, which `leave` gives back.
   * @throws the reason of `ended` when that is cancelled first; OVERLOADED when too many wait.
   */
  enter(ended: Cancellation): Promise<void> {
    return new Promise((resolve, reject) => {
      ended.throwIfCancelled();
      if (this.#takenCount < this.placesMax) {
        this.#takenCount++;
        resolve();
        return;
      }
      if (this.#waiting.size >= WAITING_MAX) throw tooMany();
      const take = (): void => {
        unwatch();
        resolve();
      };
      const unwatch = ended.watch(() => {
        this.#waiting.delete(take);
        reject(ended.reason as Error);
      });
      this.#waiting.add(take);
    });
  }

  /** Gives the place to who waits longest. */
  leave(): void {
    const [take] = this.#waiting;
    if (take === undefined) this.#takenCount--;
    else {
      this.#waiting.delete(take);
      take();
    }
  }
}

function tooMany(): MillraceError {
  const message = `Cannot decode the image: ${WAITING_MAX} others wait for it, which is the limit`;
  return MillraceError.withoutStack("OVERLOADED", message, {
    reason: "queue",
    retryAfterSeconds: 1,
  });
}
