import type { ArrivalsPlan } from "../core/load/arrivals.ts";
import { capacityReport, type SearchedFacts } from "../core/load/capacity-report.ts";
import { CapacitySearch, type SearchPlan } from "../core/load/capacity-search.ts";
import type { CapacityReport, CapacityStep, StepOutcome } from "../core/load/capacity.ts";
import type { LoadReport, LoadWindow } from "../core/load/load-report.ts";
import type { LoadTotals } from "../core/load/load-tally.ts";
import type { Objective } from "../core/load/objective.ts";
import { isOversaturated, type QueueWindow } from "../core/load/over-saturation.ts";
import { shownUrl } from "../core/load/shown-url.ts";
import { stepOutcome } from "../core/load/step-outcome.ts";
import { capacityObjectives, defaultLatency, requestsNeeded } from "./capacity-objectives.ts";
import { readEnvironment } from "./environment.ts";
import { LoadInputError } from "./load-input-error.ts";
import type { LoadPlan } from "./load-plan.ts";
import { measureLoad, type MeasureLoadOptions } from "./measure-load.ts";
import { ServerWatch, type WatchedServer } from "./server-watch.ts";

export interface FindCapacityOptions {
  /** What is sent where, and how; of its arrivals only the spacing, of its times none. */
  readonly plan: LoadPlan;
  /** Empty: errors below 0.1 %, and a p99 of at most ten times that of one client, or 50 ms. */
  readonly objectives: readonly Objective[];
  /** To ±2 % instead of ±5 %, with longer steps. */
  readonly isPrecise: boolean;
  /** As it was typed, secrets left out; for the report. */
  readonly command: string;
  readonly server?: WatchedServer | undefined;
  /** Ends the search; the report then says what was known. */
  readonly signal?: AbortSignal | undefined;
  /** What is going to be done, and how long it takes at most; before anything is sent. */
  onPlan?(text: string): void;
  onStep?(step: CapacityStep): void;
  /** @param startedAtMs Unix time at which the measured time of a step begins. */
  onBegin?(startedAtMs: number): void;
  onWindow?(window: LoadWindow, totals: LoadTotals): void;
  onOutcome?(outcome: StepOutcome): void;
  /** In place of the usual lengths and bounds. */
  readonly bounds?: Partial<SearchPlan>;
  /** Default: `measureLoad`. */
  readonly measure?: (options: MeasureLoadOptions) => Promise<LoadReport>;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const USUAL: Omit<SearchPlan, "requestsMin"> = {
  precision: 0.05,
  warmupMs: 5 * SECOND,
  stepMsMin: 10 * SECOND,
  stepMsMax: 60 * SECOND,
  coolDownMs: 3 * SECOND,
  timeMsMax: 30 * MINUTE,
  rateMax: 1_000_000,
};

const PRECISE: typeof USUAL = {
  ...USUAL,
  precision: 0.02,
  stepMsMax: 180 * SECOND,
  timeMsMax: 90 * MINUTE,
};

/**
 * Looks for the highest rate at which a service meets its objectives.
 * @throws LoadInputError when the objectives are none of a search, or the server cannot be reached at all.
 */
export function findCapacity(options: FindCapacityOptions): Promise<CapacityReport> {
  return new CapacityRun(options).run();
}

/** A search while it goes on. */
class CapacityRun {
  readonly #options: FindCapacityOptions;
  readonly #plan: SearchPlan;
  readonly #search: CapacitySearch;
  #objectives: readonly Objective[];
  readonly #startedMs = Date.now();
  /** Why no further step can be made. */
  #broken: string | undefined;

  constructor(options: FindCapacityOptions) {
    this.#options = options;
    this.#objectives = capacityObjectives(options.objectives);
    this.#plan = {
      ...(options.isPrecise ? PRECISE : USUAL),
      requestsMin: requestsNeeded(this.#objectives),
      ...options.bounds,
    };
    this.#search = new CapacitySearch(this.#plan);
  }

  async run(): Promise<CapacityReport> {
    const options = this.#options;
    const environment = readEnvironment();
    options.onPlan?.(this.#planText());
    for (let step = this.#search.next(); step !== undefined; step = this.#search.next()) {
      if (this.#isInterrupted) break;
      options.onStep?.(step);
      const outcome = await this.#try(step);
      if (outcome === undefined || this.#isInterrupted) break;
      this.#search.add(outcome);
      if (step.phase === "baseline") this.#setDefaultLatency(outcome);
      options.onOutcome?.(outcome);
    }
    return this.#report(environment);
  }

  get #isInterrupted(): boolean {
    return this.#options.signal?.aborted === true;
  }

  /** @returns undefined when the server is not there any more. */
  async #try(step: CapacityStep): Promise<StepOutcome | undefined> {
    try {
      return await this.#measure(step);
    } catch (error) {
      if (!(error instanceof LoadInputError) || this.#search.outcomes.length === 0) throw error;
      this.#broken = `the search ended before a step of ${step.rate}/s: ${error.message}`;
      return undefined;
    }
  }

  async #measure(step: CapacityStep): Promise<StepOutcome> {
    const { server, signal, measure = measureLoad } = this.#options;
    const watch = server === undefined ? undefined : new ServerWatch(server);
    const stop = new AbortController();
    const seen: QueueWindow[] = [];
    const beganMs = performance.now();
    const report = await measure({
      plan: this.#planOf(step),
      objectives: this.#objectives,
      command: this.#options.command,
      signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]),
      onBegin: (startedAtMs) => {
        watch?.begin(startedAtMs);
        this.#options.onBegin?.(startedAtMs);
      },
      onWindow: (window, totals) => {
        this.#options.onWindow?.(window, totals);
        if (window.from_ms >= step.durationMs) return;
        // Of all so far: of the requests of the last second hardly one has its answer yet when answers take longer.
        seen.push({ under_way: totals.underWay, p50_ms: totals.p50Ms });
        if (step.phase !== "baseline" && isOversaturated(seen)) stop.abort();
      },
    });
    const tookMs = performance.now() - beganMs;
    const view = await watch?.end();
    const millrace = view === undefined ? report.millrace : { ...report.millrace, server: view };
    return stepOutcome(
      step,
      { errors: report.errors, millrace },
      {
        objectives: this.#objectives,
        tookMs,
        underWay: seen.map(({ under_way }) => under_way),
        isStopped: stop.signal.aborted,
      },
    );
  }

  #planOf(step: CapacityStep): LoadPlan {
    const { plan } = this.#options;
    const own = {
      ...plan,
      warmupMs: step.warmupMs,
      durationMs: step.durationMs,
      // Every step has draws of its own, and a search with the same seed has the same ones.
      seed: plan.seed + this.#search.outcomes.length,
    };
    if (step.phase !== "baseline") return { ...own, arrivals: this.#arrivals(step.rate) };
    const arrivals = { kind: "closed", clients: 1, thinkMs: 0 } as const;
    return { ...own, arrivals, threads: 1, connectionsAtStart: 1 };
  }

  #arrivals(rate: number): ArrivalsPlan {
    return { kind: "open", profile: { kind: "constant", rate }, spacing: this.#spacing };
  }

  /** Callers who know nothing of each other come as Poisson has it. */
  get #spacing(): "constant" | "poisson" {
    const { arrivals } = this.#options.plan;
    return arrivals.kind === "open" ? arrivals.spacing : "poisson";
  }

  /** The last baseline decides: the ones before were not good enough. */
  #setDefaultLatency({ p99Ms }: StepOutcome): void {
    if (this.#options.objectives.length > 0) return;
    this.#objectives = [defaultLatency(p99Ms), ...capacityObjectives([])];
  }

  #planText(): string {
    const { precision, warmupMs, stepMsMin, stepMsMax, requestsMin, timeMsMax } = this.#plan;
    const asked = this.#options.objectives.length > 0;
    const wanted = asked
      ? this.#objectives.map(({ text }) => text).join(", ")
      : "errors<0.1% and a p99 of ten times that of one client, or 50 ms";
    const shortest = (warmupMs + stepMsMin) / SECOND;
    const longest = (warmupMs + stepMsMax) / SECOND;
    return (
      `Looking for the highest rate that meets ${wanted}, to ±${precision * 100} %: some 20 to 40 steps of ` +
      `${shortest} s, or up to ${longest} s where ${requestsMin.toLocaleString("en")} requests take longer; ` +
      `at most ${timeMsMax / MINUTE} minutes`
    );
  }

  #report(environment: CapacityReport["environment"]): CapacityReport {
    const { plan, command } = this.#options;
    const first = plan.targets.slice(0, TARGETS_NAMED_MAX);
    const facts: SearchedFacts = {
      name: plan.name,
      started: new Date(this.#startedMs).toISOString(),
      command,
      protocol: plan.protocol,
      targets: first.map(({ method, url }) => `${method} ${shownUrl(url)}`),
      arrivals: `constant rates, ${this.#spacing === "poisson" ? "Poisson arrivals" : "evenly spaced arrivals"}`,
      seed: plan.seed,
      environment,
      objectives: this.#objectives.map(({ text }) => text),
      took_ms: Date.now() - this.#startedMs,
    };
    const report = capacityReport(this.#search, this.#plan, facts);
    const shared = plan.targets.some(({ url }) => LOOPBACK.test(new URL(url).hostname));
    const notes = [this.#broken, ...report.notes, shared ? SHARED : undefined];
    return {
      ...report,
      outcome: this.#broken === undefined ? report.outcome : "unfinished",
      notes: notes.filter((note) => note !== undefined),
    };
  }
}

/** Targets that a report names. */
const TARGETS_NAMED_MAX = 20;

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

const SHARED =
  "service and generator share this machine: on one of its own the service may do more";
