import type { Clock } from "../../core/clock.ts";
import { MillraceError } from "../../core/errors.ts";
import type { Logger } from "../../ports/logger.ts";

/** A remote that fails is reported this often, with the number of failures since. */
const EVERY_MS = 10_000;

/** Who is reported: the name of the remote, and which of its servers where there are several. */
export interface FailingRemote {
  readonly remote: string;
  readonly endpoint?: string;
}

/** Writes into the log that a remote fails, and that it answers again: not a line for every request. */
export class FailureLog {
  readonly #facts: FailingRemote;
  readonly #clock: Clock;
  readonly #log: Logger;
  #reportedMs = -Infinity;
  #failures = 0;
  #isFailing = false;

  constructor(facts: FailingRemote, clock: Clock, log: Logger) {
    this.#facts = facts;
    this.#clock = clock;
    this.#log = log;
  }

  failed(error: unknown): void {
    this.#failures++;
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#reportedMs < EVERY_MS) return;
    this.#reportedMs = nowMs;
    this.#isFailing = true;
    const facts = { ...this.#facts, failures: this.#failures };
    this.#failures = 0;
    if (!(error instanceof MillraceError)) {
      this.#log.error({ ...facts, err: error }, "Remote failed");
      return;
    }
    const { code, reason, message, cause } = error;
    const detail = cause instanceof Error ? { detail: cause.message } : {};
    this.#log.warn({ ...facts, code, reason, ...detail }, message);
  }

  answered(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#failures = 0;
    this.#log.info({ ...this.#facts }, "Remote answers again");
  }
}
