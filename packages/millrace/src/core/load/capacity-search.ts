import type { CapacityStep, StepOutcome } from "./capacity.ts";
import { RateTrials } from "./rate-trials.ts";

/** Steps in a row that a rate has to hold before it is stated. */
export const CONFIRMATIONS = 3;

/** Most steps of a search; it needs some twenty to forty. */
export const STEPS_MAX = 80;

export interface SearchPlan {
  /** Half of the widest interval that is asked for, as a share: 0.05. */
  readonly precision: number;
  /** Requests a step should have: 10,000 of them leave 100 above the p99. */
  readonly requestsMin: number;
  readonly warmupMs: number;
  readonly stepMsMin: number;
  /** A step ends then, though it may have fewer requests. */
  readonly stepMsMax: number;
  /** Of a look whether the service has recovered. */
  readonly coolDownMs: number;
  /** No step begins that would not end in this time. */
  readonly timeMsMax: number;
  /** Starts a second; the search ends there when the service holds them. */
  readonly rateMax: number;
}

/** What a search knows. */
export interface SearchState {
  /** Why nothing more is asked; undefined while something is. */
  readonly end: "found" | "at_least" | "none" | "unfinished" | undefined;
  /** Starts a second that held, and the least above that failed. */
  readonly low: RateTrials | undefined;
  readonly high: RateTrials | undefined;
}

/** Of what one client reaches: little for any service, and not nothing. */
const FIRST_SHARE = 0.1;

/** Starts a second; what holds fewer is not a service. */
const RATE_MIN = 1;

/** Trials of the baseline before what it says counts, though it is not steady. */
const BASELINES_MAX = 3;

/** A service is itself again when its median is so near to that at rest: by share, and in ms. */
const COOL_SHARE = 1.25;
const COOL_MS = 1;

/** Cool-downs after one step; what has not recovered by then goes on as it is. */
const COOL_DOWNS_MAX = 5;

/**
 * Looks for the highest rate a service holds. It is told what came of a step, and says which one is next; it knows no
 * time and sends nothing.
 *
 * What is next follows from what is known of each rate tried so far, so a step that contradicts an earlier one needs no
 * rule of its own:
 *
 * 1. `baseline`: one client. Latencies that it cannot get, nobody can.
 * 2. `double`: from a tenth of its rate up until one fails, or down until one holds.
 * 3. `bisect`: between the highest that held and the least that failed, in equal ratios, until they are near.
 * 4. `confirm`: the highest that held has to hold three more times. When it fails it becomes the upper end, and the search
 *    goes back to 3, or to 4 with the next one below.
 *
 * One miss is not a failure: something else may have run on the machine. The rate is asked again, and fails when it is
 * missed twice, or when the queue grew without end. A step that is not steady is asked again too. After a step that was
 * missed the service gets time to recover (`cool-down`).
 */
export class CapacitySearch {
  readonly #plan: SearchPlan;
  readonly #outcomes: StepOutcome[] = [];
  readonly #trials = new Map<number, RateTrials>();
  readonly #baselines: StepOutcome[] = [];
  /** Cool-downs that are left; 0 where none is needed. */
  #coolDowns = 0;
  #tookMs = 0;
  /** Steps whose service did not recover. */
  #unrecovered = 0;

  constructor(plan: SearchPlan) {
    this.#plan = plan;
  }

  /** @returns undefined when the search has ended. */
  next(): CapacityStep | undefined {
    const step = this.#wanted();
    if (step === undefined || this.#outcomes.length >= STEPS_MAX) return undefined;
    const endsMs = this.#tookMs + step.warmupMs + step.durationMs;
    return endsMs <= this.#plan.timeMsMax ? step : undefined;
  }

  /** @param outcome of the step that `next` has said. */
  add(outcome: StepOutcome): void {
    const { step } = outcome;
    this.#outcomes.push(outcome);
    this.#tookMs += outcome.tookMs;
    if (step.phase === "cool-down") this.#addCoolDown(outcome);
    else if (step.phase === "baseline") this.#baselines.push(outcome);
    else {
      const isFull = step.durationMs >= this.#fullMs(step.rate);
      this.#trialsOf(step.rate).add(outcome, isFull);
      this.#coolDowns = outcome.missed.length > 0 || outcome.isOversaturated ? COOL_DOWNS_MAX : 0;
    }
  }

  get outcomes(): readonly StepOutcome[] {
    return this.#outcomes;
  }

  get tookMs(): number {
    return this.#tookMs;
  }

  /** Of one client, as far as it is known; the last one counts. */
  get baseline(): StepOutcome | undefined {
    return this.#baselines.at(-1);
  }

  /** Steps after which the service did not become itself again. */
  get unrecovered(): number {
    return this.#unrecovered;
  }

  get trials(): readonly RateTrials[] {
    return [...this.#trials.values()];
  }

  state(): SearchState {
    const { low, high } = this.#ends();
    return { low, high, end: this.next() === undefined ? this.#why(low, high) : undefined };
  }

  #why(low: RateTrials | undefined, high: RateTrials | undefined): SearchState["end"] {
    if (this.#wanted() !== undefined) return "unfinished";
    if (low === undefined) return "none";
    return high === undefined || high.isSpoiled ? "at_least" : "found";
  }

  #wanted(): CapacityStep | undefined {
    if (this.#coolDowns > 0) return this.#coolDown();
    const baseline = this.#knownBaseline();
    if (baseline === undefined) return this.#step("baseline", 0, this.#plan.stepMsMin);
    if (isHopeless(baseline)) return undefined;
    const open = this.trials.find(({ verdict }) => verdict === "open");
    if (open !== undefined) return this.#fullStep(open.phase, open.rate);
    return this.#search(baseline);
  }

  #search(baseline: StepOutcome): CapacityStep | undefined {
    const { low, high } = this.#ends();
    if (low === undefined) {
      if (high === undefined) return this.#doubling(this.#firstRate(baseline));
      return high.rate <= RATE_MIN ? undefined : this.#doubling(Math.max(RATE_MIN, high.rate / 2));
    }
    if (high === undefined && low.rate < this.#plan.rateMax) return this.#doubling(2 * low.rate);
    if (high !== undefined && high.rate / low.rate > 1 + 2 * this.#plan.precision) {
      return this.#fullStep("bisect", roundRate(Math.sqrt(low.rate * high.rate)));
    }
    return low.confirmations < CONFIRMATIONS ? this.#fullStep("confirm", low.rate) : undefined;
  }

  #ends(): Pick<SearchState, "low" | "high"> {
    let high: RateTrials | undefined;
    for (const trials of this.#trials.values()) {
      if (trials.verdict === "fails" && trials.rate < (high?.rate ?? Infinity)) high = trials;
    }
    let low: RateTrials | undefined;
    for (const trials of this.#trials.values()) {
      const isBetween = trials.rate > (low?.rate ?? 0) && trials.rate < (high?.rate ?? Infinity);
      if (trials.verdict === "holds" && isBetween) low = trials;
    }
    return { low, high };
  }

  /** The last one, when it is steady, or asked often enough. */
  #knownBaseline(): StepOutcome | undefined {
    const last = this.#baselines.at(-1);
    if (last === undefined) return undefined;
    const isGood = last.isSteady && last.missed.length === 0;
    return isGood || this.#baselines.length >= BASELINES_MAX ? last : undefined;
  }

  #firstRate({ goodput }: StepOutcome): number {
    return Math.min(this.#plan.rateMax, Math.max(RATE_MIN, roundRate(FIRST_SHARE * goodput)));
  }

  /** What holds easily need not be measured well: a short step says it, and what that misses is asked again in full. */
  #doubling(rate: number): CapacityStep {
    const rounded = Math.min(this.#plan.rateMax, roundRate(rate));
    return this.#step("double", rounded, this.#plan.stepMsMin);
  }

  #coolDown(): CapacityStep {
    const baseline = this.#knownBaseline();
    const rate = baseline === undefined ? RATE_MIN : this.#firstRate(baseline);
    return { phase: "cool-down", rate, warmupMs: 0, durationMs: this.#plan.coolDownMs };
  }

  #addCoolDown({ p50Ms, goodput }: StepOutcome): void {
    const isCool = goodput > 0 && p50Ms <= COOL_SHARE * this.#restMs() + COOL_MS;
    this.#coolDowns = isCool ? 0 : this.#coolDowns - 1;
    if (!isCool && this.#coolDowns === 0) this.#unrecovered++;
  }

  /**
   * Median of a service at rest: of the lowest rate that held, as processors that are asked now and then are slower than
   * busy ones; or of one client, unless that was refused something.
   */
  #restMs(): number {
    const held = this.trials.filter(({ verdict }) => verdict === "holds");
    const lowest = held.toSorted((a, b) => a.rate - b.rate)[0]?.held[0]?.p50Ms;
    const alone = this.baseline?.missed.length === 0 ? this.baseline.p50Ms : undefined;
    return Math.max(lowest ?? 0, alone ?? 0) || Infinity;
  }

  #fullStep(phase: CapacityStep["phase"], rate: number): CapacityStep {
    return this.#step(phase, rate, this.#fullMs(rate));
  }

  #fullMs(rate: number): number {
    const { requestsMin, stepMsMin, stepMsMax } = this.#plan;
    return Math.min(stepMsMax, Math.max(stepMsMin, Math.ceil((requestsMin / rate) * 1000)));
  }

  #step(phase: CapacityStep["phase"], rate: number, durationMs: number): CapacityStep {
    return { phase, rate, warmupMs: this.#plan.warmupMs, durationMs };
  }

  #trialsOf(rate: number): RateTrials {
    let trials = this.#trials.get(rate);
    if (trials === undefined) {
      trials = new RateTrials(rate);
      this.#trials.set(rate, trials);
    }
    return trials;
  }
}

/**
 * No rate can do better than this client. Where it was refused a part of what it asked for, one can: a client that asks
 * again at once asks for more than many services allow.
 */
function isHopeless({ missed, errors, goodput }: StepOutcome): boolean {
  return missed.length > 0 && (errors === 0 || goodput === 0);
}

/** Three digits: nobody can say a capacity better. */
function roundRate(rate: number): number {
  return Number(rate.toPrecision(3));
}
