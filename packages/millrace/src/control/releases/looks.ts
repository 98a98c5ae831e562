import type { Clock } from "../../core/clock.ts";
import { MillraceError } from "../../core/errors.ts";

/** Looks at a time: of the queries that run at once, some are left to people. */
const LOOKS_MAX = 2;

/** Longest time of one look; what hangs stops nobody else. */
const LOOK_MS_MAX = 120_000;

/** Time between two looks at the same thing, as a multiple of what the look took: the log is there for others too. */
const REST_FACTOR = 3;

/** Something that is looked at again and again. */
export interface LookedAt {
  readonly everyMs: number;
  look(signal: AbortSignal): Promise<void>;
}

/** Looks at each of many things in its own rhythm, at few of them at once, and at each once at a time. */
export class Looks {
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #dueMs = new Map<LookedAt, number>();
  readonly #running = new Map<LookedAt, AbortController>();

  /** @param onError of a look that threw, or took too long. */
  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Begins the looks that are due, those that have waited longest first. @param all that there is; the rest is forgotten. */
  begin(all: ReadonlySet<LookedAt>): void {
    const nowMs = this.#clock.nowMs();
    for (const one of this.#dueMs.keys()) if (!all.has(one)) this.#dueMs.delete(one);
    const due = [...all]
      .filter((one) => !this.#running.has(one) && (this.#dueMs.get(one) ?? 0) <= nowMs)
      .toSorted((a, b) => (this.#dueMs.get(a) ?? 0) - (this.#dueMs.get(b) ?? 0));
    for (const one of due.slice(0, Math.max(0, LOOKS_MAX - this.#running.size))) {
      this.#dueMs.set(one, nowMs + one.everyMs);
      void this.#look(one);
    }
  }

  /** Ends all looks. */
  close(): void {
    for (const controller of this.#running.values()) {
      controller.abort(new MillraceError("CANCELLED", "Cannot look: control stops"));
    }
  }

  async #look(one: LookedAt): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    const startedMs = this.#clock.nowMs();
    this.#running.set(one, controller);
    const cancel = this.#clock.schedule(LOOK_MS_MAX, () =>
      controller.abort(
        new MillraceError("DEADLINE_EXCEEDED", `Cannot look: it took over ${LOOK_MS_MAX} ms`),
      ),
    );
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
    try {
      await Promise.race([one.look(signal), aborted]);
    } catch (error) {
      this.#onError(error);
    } finally {
      cancel();
      this.#running.delete(one);
      this.#rest(one, startedMs);
    }
  }

  #rest(one: LookedAt, startedMs: number): void {
    const dueMs = this.#dueMs.get(one);
    if (dueMs === undefined) return; // forgotten meanwhile
    const nowMs = this.#clock.nowMs();
    this.#dueMs.set(one, Math.max(dueMs, nowMs + REST_FACTOR * (nowMs - startedMs)));
  }
}
