import type { Clock } from "../clock.ts";

/** Steps that one request writes down; further ones run and are only counted. */
export const TRACE_STEPS_MAX = 256;

const FACTS_MAX = 16;
const FACT_LENGTH_MAX = 256;

/**
 * `skipped`: it failed and the sequence went on without it. `timeout`: it took longer than it was allowed.
 * `cancelled`: nobody waits for it any more. `omitted`: it was not run, because it is deactivated.
 */
export type StepStatus =
  "running" | "ok" | "failed" | "skipped" | "timeout" | "cancelled" | "omitted";

/** A small thing worth knowing about a step: the model that ran, the case that was taken. */
export type StepFact = string | number | boolean;

/** What all steps of a request share. */
interface TracedRequest {
  readonly clock: Clock;
  readonly receivedMs: number;
  stepCount: number;
}

/** What happened in one step of a request, and in the steps inside it. */
export class StepTrace {
  readonly name: string;
  readonly kind: string;
  /** When it began, in milliseconds since the request came. */
  readonly startedMs: number;
  /** Which of the request's steps it is, in the order they began; the outermost is 0. */
  readonly ordinal: number;
  readonly #request: TracedRequest;
  #status: StepStatus = "running";
  #tookMs = 0;
  readonly #facts: Record<string, StepFact> = {};
  readonly #children: StepTrace[] = [];

  private constructor(name: string, kind: string, request: TracedRequest) {
    this.name = name;
    this.kind = kind;
    this.#request = request;
    this.startedMs = request.clock.nowMs() - request.receivedMs;
    this.ordinal = request.stepCount++;
  }

  /**
   * Begins the trace of a request.
   * @param receivedMs when the request came, on `clock.nowMs`; now, by default.
   */
  static start(name: string, kind: string, clock: Clock, receivedMs = clock.nowMs()): StepTrace {
    return new StepTrace(name, kind, { clock, receivedMs, stepCount: 0 });
  }

  /** Begins a step inside this one. */
  begin(name: string, kind: string): StepTrace {
    const child = new StepTrace(name, kind, this.#request);
    if (this.#request.stepCount <= TRACE_STEPS_MAX) this.#children.push(child);
    return child;
  }

  /**
   * Ends the step, and what still runs inside it, which nobody waits for. Only the first call counts: a branch that was
   * given up may still end some time.
   */
  end(status: Exclude<StepStatus, "running" | "skipped">): void {
    if (this.#status !== "running") return;
    this.#status = status;
    this.#tookMs = this.#nowMs - this.startedMs;
    for (const child of this.#children) child.end("cancelled");
  }

  /** The step has failed, and the request goes on without it. */
  skip(): void {
    this.#status = "skipped";
  }

  /** Writes a fact down; a text is cut at 256 characters, and a step has at most 16 facts. */
  note(name: string, fact: StepFact): void {
    const facts = this.#facts;
    if (!Object.hasOwn(facts, name) && Object.keys(facts).length >= FACTS_MAX) return;
    facts[name] = typeof fact === "string" ? fact.slice(0, FACT_LENGTH_MAX) : fact;
  }

  get status(): StepStatus {
    return this.#status;
  }

  /** Until now while it runs. */
  get tookMs(): number {
    return this.#status === "running" ? this.#nowMs - this.startedMs : this.#tookMs;
  }

  get facts(): Readonly<Record<string, StepFact>> {
    return this.#facts;
  }

  /** In the order they began. */
  get children(): readonly StepTrace[] {
    return this.#children;
  }

  /** Steps of the whole request that ran and are not written down. */
  get untracedCount(): number {
    return Math.max(0, this.#request.stepCount - TRACE_STEPS_MAX);
  }

  get #nowMs(): number {
    return this.#request.clock.nowMs() - this.#request.receivedMs;
  }
}
