import { MillraceError } from "../../core/errors.ts";
import { outcomeOf, type StepOutcome } from "../../core/graph/step-outcome.ts";
import type { Step, StepContext } from "../../core/graph/step.ts";
import type { Cancellation } from "../../core/cancellation.ts";
import type { RetryBudget } from "../../core/overload/retry-budget.ts";
import type { LatencyWindow } from "../../core/overload/latency-window.ts";
import type { Tensor, TensorSpec } from "../../core/tensor/tensor.ts";
import type { HedgeOptions } from "../../ports/step-sources.ts";
import type { EndpointPermit, EndpointPool } from "./endpoint-pool.ts";
import { hedgedCall } from "./hedged-call.ts";
import type { Specs } from "./protocol.ts";

/** A request with less time than this share of the latest calls took would most likely be too late. */
const SERVICE_TIME_SHARE = 0.5;

/** A call that takes longer than this share of the latest ones is slow, for `p95`. */
const SLOW_SHARE = 0.95;

export interface RemoteStepOptions {
  readonly name: string;
  readonly specs: Specs;
  readonly labels: readonly string[] | undefined;
  readonly pool: EndpointPool;
  /** Of all its servers. */
  readonly latency: LatencyWindow;
  readonly hedge: HedgeOptions | undefined;
}

/** A step that another server does, or one of several that do the same. */
export class RemoteStep implements Step {
  readonly name: string;
  readonly kind = "remote";
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly prediction: number;
  readonly labels: readonly string[] | undefined;
  readonly score = 0;
  readonly #options: RemoteStepOptions;

  constructor(options: RemoteStepOptions) {
    const { inputs, outputs } = options.specs;
    this.name = options.name;
    this.inputs = inputs;
    this.outputs = outputs;
    this.prediction = predictionOf(outputs);
    this.labels = options.labels;
    this.#options = options;
  }

  async run(inputs: readonly Tensor[], context: StepContext): Promise<StepOutcome> {
    this.#refuseTooLate(context);
    const permit = this.#options.pool.acquire(context.tried);
    if (permit.kind === "refused") throw breakerOpen(this.name, permit.retryAfterMs);
    const { budget } = context;
    const afterMs = this.#hedgeAfterMs();
    const outputs =
      afterMs === undefined || budget === undefined
        ? await this.#call(permit, inputs, context, context.cancellation)
        : await this.#callHedged(permit, inputs, { ...context, budget }, afterMs);
    return outcomeOf(outputs);
  }

  async #call(
    { endpoint, permit }: EndpointPermit,
    inputs: readonly Tensor[],
    context: StepContext,
    cancellation: Cancellation | undefined,
  ): Promise<readonly Tensor[]> {
    const { latency } = this.#options;
    const { clock, trace } = context;
    const startedMs = clock.nowMs();
    context.tried?.add(endpoint.name);
    trace.note("endpoint", endpoint.name);
    const outputs = await endpoint.predict(permit, { inputs, context, cancellation });
    trace.note("endpoint", endpoint.name); // the other one of two calls began later
    latency.record(clock.nowMs() - startedMs);
    return outputs;
  }

  /** Asks a second server when the first is slow, if there is one that is well, and the budget allows it. */
  #callHedged(
    permit: EndpointPermit,
    inputs: readonly Tensor[],
    context: StepContext & { readonly budget: RetryBudget },
    afterMs: number,
  ): Promise<readonly Tensor[]> {
    const { pool, latency } = this.#options;
    const { clock, budget, trace } = context;
    const startedMs = clock.nowMs();
    return hedgedCall({
      clock,
      afterMs,
      cancellation: context.cancellation,
      first: (cancellation) => this.#call(permit, inputs, context, cancellation),
      second: (cancellation) => {
        const tried = new Set([...(context.tried ?? []), permit.endpoint.name]);
        if (!pool.hasOther(tried) || !budget.tryTake("hedge")) return undefined;
        const other = pool.acquire(tried);
        if (other.kind === "refused") {
          budget.giveBack();
          return undefined;
        }
        trace.note("hedged", true);
        return this.#call(other, inputs, context, cancellation)
          .then((outputs) => {
            latency.record(clock.nowMs() - startedMs); // the first one took longer still
            return outputs;
          })
          .finally(() => budget.giveBack());
      },
    });
  }

  /** Undefined when no second server is to be asked, or what is slow is not known yet. */
  #hedgeAfterMs(): number | undefined {
    const { hedge, latency } = this.#options;
    if (hedge === undefined) return undefined;
    return hedge.after === "p95" ? latency.quantileMs(SLOW_SHARE) : hedge.after;
  }

  /** An answer that would most likely be too late is not asked for. @throws OVERLOADED */
  #refuseTooLate({ clock, deadlineAtMs }: StepContext): void {
    const leftMs = deadlineAtMs - clock.nowMs();
    const usualMs = this.#options.latency.quantileMs(SERVICE_TIME_SHARE);
    if (usualMs !== undefined && leftMs < usualMs) throw tooLate(this.name, leftMs, usualMs);
  }
}

/** What classifiers, scikit-learn's exports among them, call their probabilities. */
const PROBABILITIES: ReadonlySet<string> = new Set(["probabilities", "output_probability"]);

/** As models have it: the probabilities of a classifier, else the first. */
function predictionOf(outputs: readonly TensorSpec[]): number {
  const index = outputs.findIndex(({ name }) => PROBABILITIES.has(name));
  return Math.max(0, index);
}

function breakerOpen(remote: string, retryAfterMs: number): MillraceError {
  return MillraceError.withoutStack(
    "OVERLOADED",
    `Cannot predict: remote "${remote}" keeps failing, it is tried again soon`,
    { reason: "breaker", retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)) },
  );
}

function tooLate(remote: string, leftMs: number, usualMs: number): MillraceError {
  const state = `${Math.floor(leftMs)} ms are left, remote "${remote}" takes ${Math.ceil(usualMs)} ms`;
  return MillraceError.withoutStack("OVERLOADED", `Cannot predict: ${state}`, {
    reason: "predicted_deadline",
    retryAfterSeconds: 1,
  });
}
