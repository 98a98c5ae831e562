import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { RETENTION_FILE } from "../core/predictions/log-folder.ts";
import { writeFileSynced } from "../disk/synced-files.ts";

/** How much faster than time itself it moves at most: a day in an hour. */
const SPEED_MAX = 24;
const DAY_MS = 86_400_000;
/** What it moves between two saves. */
const SAVE_EVERY_MS = 3_600_000;

/**
 * The time by which rows are old. A clock that jumps ahead must not delete years of rows, so this one follows it by at
 * most a day in an hour: within a day it has caught up with three weeks for which nothing ran, and for as long there is
 * time to notice a clock that is wrong. It never goes back.
 */
export class RetentionClock {
  readonly #path: string;
  readonly #clock: Clock;
  #trustedMs: number;
  #movedAtMs: number;
  #savedMs: number | undefined;

  private constructor(path: string, clock: Clock, trustedMs: number, savedMs: number | undefined) {
    this.#path = path;
    this.#clock = clock;
    this.#trustedMs = trustedMs;
    this.#movedAtMs = clock.nowMs();
    this.#savedMs = savedMs;
  }

  /** @param newestRowMs of the rows there are; undefined when there are none. A first start begins a day after it. */
  static async open(
    logFolder: string,
    clock: Clock,
    newestRowMs: number | undefined,
  ): Promise<RetentionClock> {
    const path = join(logFolder, RETENTION_FILE);
    const savedMs = await readSaved(path);
    const trustedMs =
      savedMs ?? (newestRowMs === undefined ? clock.wallMs() : newestRowMs + DAY_MS);
    return new RetentionClock(path, clock, Math.min(trustedMs, savedMs ?? clock.wallMs()), savedMs);
  }

  /** Milliseconds since 1970-01-01 UTC, never later than the clock says. */
  async nowMs(): Promise<number> {
    const nowMs = this.#clock.nowMs();
    const wallMs = this.#clock.wallMs();
    const stepMs = SPEED_MAX * (nowMs - this.#movedAtMs);
    this.#movedAtMs = nowMs;
    this.#trustedMs = Math.max(this.#trustedMs, Math.min(wallMs, this.#trustedMs + stepMs));
    if (this.#savedMs === undefined || this.#trustedMs - this.#savedMs >= SAVE_EVERY_MS) {
      await writeFileSynced(this.#path, JSON.stringify({ nowMs: this.#trustedMs }));
      this.#savedMs = this.#trustedMs;
    }
    return Math.min(wallMs, this.#trustedMs);
  }
}

async function readSaved(path: string): Promise<number | undefined> {
  try {
    const { nowMs } = JSON.parse(await readFile(path, "utf8")) as { readonly nowMs?: unknown };
    return typeof nowMs === "number" && Number.isFinite(nowMs) ? nowMs : undefined;
  } catch {
    return undefined; // it is made again from what there is
  }
}
