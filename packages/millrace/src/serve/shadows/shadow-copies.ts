import { isDeepStrictEqual } from "node:util";
import type { ServiceConfig } from "../../config/config.ts";
import type { ShadowConfig } from "../../config/shadow-config.ts";
import { ByteBudget } from "../../core/batch/byte-budget.ts";
import { RunningQuantile } from "../../core/predictions/running-quantile.ts";
import type { Job } from "../answers.ts";
import { WARM_UP, type Call, type Prediction } from "../prediction.ts";
import type { PredictionRecord } from "../recent-predictions.ts";
import { copiedRequest } from "./copied-request.ts";
import { LoopTurns } from "./loop-turns.ts";
import { RecentShadowPairs } from "./recent-shadow-pairs.ts";
import { ServiceShadow, type ShadowParts } from "./service-shadow.ts";

/** A request, as it came or as its inputs are, and its answer; a larger one has no copy. */
export const COPY_BYTES_MAX = 16 * 1024 * 1024;

/** Memory of the copies of one process. */
const COPIES_BYTES_MAX = 64 * 1024 * 1024;

export type ShadowCopiesOptions = Omit<ShadowParts, "turns" | "budget" | "recent">;

interface ShadowedService {
  readonly shadows: Map<string, ServiceShadow>;
  /** Of the milliseconds that an answer takes. */
  readonly latency: RunningQuantile;
}

/**
 * Sends copies of what was asked to the shadows of its service, after the answer and beside everything else: whatever
 * a shadow does, the client never sees it, waits for it, or fails with it.
 *
 * A copy is made of what the limits of the service let in, whether it was answered or failed. What a cache answered, what
 * was refused, what something else answered in its place, and what its client gave up is not compared with anything.
 */
export class ShadowCopies {
  readonly recent = new RecentShadowPairs();
  readonly #parts: ShadowParts;
  readonly #services = new Map<string, ShadowedService>();
  #isClosed = false;

  constructor(options: ShadowCopiesOptions) {
    const { clock, metrics } = options;
    const budget = new ByteBudget(COPIES_BYTES_MAX);
    this.#parts = { ...options, turns: new LoopTurns(clock), budget, recent: this.recent };
    metrics.shadows.setUsage(() =>
      [...this.#services.values()].flatMap(({ shadows }) =>
        [...shadows.values()].map(({ usage }) => usage),
      ),
    );
  }

  /** Copies under way go on where their shadow stays; those of the others are left out. */
  configure(services: readonly ServiceConfig[]): void {
    const shadowed = services.filter(({ shadows }) => shadows.length > 0);
    const names = new Set(shadowed.map(({ name }) => name));
    for (const [name, { shadows }] of this.#services) {
      if (names.has(name)) continue;
      for (const shadow of shadows.values()) shadow.close();
      this.#services.delete(name);
    }
    for (const { name, shadows } of shadowed) this.#configure(name, shadows);
  }

  #configure(name: string, configs: readonly ShadowConfig[]): void {
    const before = this.#services.get(name);
    const next = new Map(configs.map((one) => [one.name, this.#shadow(name, one, before)]));
    const kept = new Set(next.values());
    for (const shadow of before?.shadows.values() ?? []) if (!kept.has(shadow)) shadow.close();
    const latency = before?.latency ?? new RunningQuantile(0.99);
    this.#services.set(name, { shadows: next, latency });
  }

  #shadow(
    service: string,
    config: ShadowConfig,
    before: ShadowedService | undefined,
  ): ServiceShadow {
    const known = before?.shadows.get(config.name);
    if (known === undefined || !isSame(known.config, config)) {
      return new ServiceShadow(service, config, this.#parts);
    }
    known.configure(config);
    return known;
  }

  /** Will there be a copy, so that the inputs have to stay as they are? Asked before the request runs. */
  wants({ name, shadows }: ServiceConfig, { endpoint, predictionId }: Call): boolean {
    if (shadows.length === 0 || endpoint === WARM_UP || this.#isClosed) return false;
    const own = this.#services.get(name)?.shadows;
    if (own === undefined) return false;
    for (const shadow of own.values()) {
      if (!shadow.config.isExcluded && shadow.isChosen(predictionId)) return true;
    }
    return false;
  }

  /** To be called when the answer is made. @param prediction undefined when it failed. */
  copy(job: Job, record: PredictionRecord, prediction: Prediction | undefined): void {
    if (job.service.shadows.length === 0 || job.call.endpoint === WARM_UP) return;
    const own = this.#services.get(job.service.name);
    if (own === undefined || job.call.isAdmitted !== true || record.code === "CANCELLED") return;
    own.latency.observe(record.tookMs);
    // What `wants` did not promise may have gone to another thread with its memory.
    const isTaken = !this.#isClosed && !job.limits.isInputOwned && job.service.parameters.isActive;
    let copied: ReturnType<typeof copiedRequest> | undefined;
    for (const shadow of own.shadows.values()) {
      if (!shadow.isChosen(record.id)) continue;
      if (shadow.config.isExcluded) shadow.skip("excluded");
      else if (!isTaken) shadow.skip("inactive");
      else {
        copied ??= copiedRequest(job, record, prediction);
        if (copied.bytes > COPY_BYTES_MAX) shadow.skip("body");
        else shadow.offer(copied, own.latency.estimate);
      }
    }
  }

  /** No copies any more: the process ends. Those under way are given up. */
  close(): void {
    this.#isClosed = true;
    for (const { shadows } of this.#services.values()) {
      for (const shadow of shadows.values()) shadow.close();
    }
  }
}

/** May copies of before go on? Limits, shares and what a verdict needs may change meanwhile. */
function isSame(before: ShadowConfig, after: ShadowConfig): boolean {
  const isKept = before.to === after.to && isDeepStrictEqual(before.compare, after.compare);
  return isKept && (before.isExcluded || !after.isExcluded);
}
