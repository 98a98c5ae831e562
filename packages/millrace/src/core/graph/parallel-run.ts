import { Cancellation } from "../cancellation.ts";
import { MillraceError } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Branch } from "./branch.ts";
import { carry, type Edge } from "./edge.ts";
import { codeOf, runStep } from "./run-step.ts";
import type { StepOutcome } from "./step-outcome.ts";
import type { StepTrace } from "./step-trace.ts";
import type { StepContext } from "./step.ts";

/** A branch that is run, with where its inputs come from. */
export interface BranchPlan {
  readonly branch: Branch;
  /** Run for the log only: its failure is nobody's. */
  readonly isObserved: boolean;
  readonly edges: readonly Edge[];
}

export interface ParallelRunOptions {
  readonly plans: readonly BranchPlan[];
  readonly onError: "fail" | "omit";
  readonly timeoutMs: number | undefined;
}

/** How a branch ended. */
export type BranchEnd =
  | { readonly kind: "ok"; readonly plan: BranchPlan; readonly outcome: StepOutcome }
  | { readonly kind: "failed"; readonly plan: BranchPlan; readonly error: unknown };

/**
 * Branches that run at the same time, once. Whatever ends the wait ends all branches that still run: the last one that
 * is awaited, the time limit, the first failure where that fails all, the client that goes. So they share one
 * cancellation, which follows that of the request.
 */
export class ParallelRun {
  readonly #options: ParallelRunOptions;
  readonly #context: StepContext;
  readonly #cancellation = new Cancellation();
  readonly #traces: readonly StepTrace[];
  readonly #ends: (BranchEnd | undefined)[];
  readonly #done = Promise.withResolvers<void>();
  #pendingCount: number;

  constructor(options: ParallelRunOptions, context: StepContext) {
    this.#options = options;
    this.#context = context;
    this.#traces = options.plans.map(({ branch }) =>
      context.trace.begin(branch.name, branch.step.kind),
    );
    this.#ends = options.plans.map(() => undefined);
    this.#pendingCount = options.plans.length;
  }

  /**
   * @returns how each branch ended, in their order.
   * @throws with `onError: fail` what the first failing branch threw; the reason when the request is cancelled.
   */
  async run(inputs: readonly Tensor[]): Promise<readonly BranchEnd[]> {
    const { plans, timeoutMs } = this.#options;
    if (plans.length === 0) return [];
    const { clock, cancellation } = this.#context;
    const unfollow = cancellation?.watch(() => this.#stop(cancellation.reason));
    const stopTimer =
      timeoutMs === undefined
        ? undefined
        : clock.schedule(timeoutMs, () => this.#timeOut(timeoutMs));
    try {
      const context = this.#branchContext();
      for (const index of plans.keys()) this.#start(index, inputs, context);
      await this.#done.promise;
      return this.#ends as readonly BranchEnd[];
    } finally {
      unfollow?.();
      stopTimer?.();
    }
  }

  #branchContext(): StepContext {
    const { clock, deadlineAtMs } = this.#context;
    const limitAtMs = clock.nowMs() + (this.#options.timeoutMs ?? Infinity);
    return {
      ...this.#context,
      deadlineAtMs: Math.min(deadlineAtMs, limitAtMs),
      cancellation: this.#cancellation,
    };
  }

  /** Both ends are heard, so a branch that fails after all has ended fails for nobody. */
  #start(index: number, inputs: readonly Tensor[], context: StepContext): void {
    const plan = this.#options.plans[index] as BranchPlan;
    const trace = this.#traces[index] as StepTrace;
    trace.note("step", plan.branch.step.name);
    if (plan.isObserved) trace.note("observed", true);
    const own = plan.edges.map((edge) => carry(inputs[edge.index] as Tensor, edge));
    runStep(plan.branch.step, own, context, trace).then(
      (outcome) => this.#end(index, { kind: "ok", plan, outcome }),
      (error: unknown) => this.#end(index, { kind: "failed", plan, error }),
    );
  }

  #end(index: number, end: BranchEnd): void {
    if (this.#ends[index] !== undefined) return;
    this.#ends[index] = end;
    this.#pendingCount--;
    if (end.kind === "failed" && this.#options.onError === "fail" && !end.plan.isObserved) {
      this.#done.reject(end.error);
      this.#cancelRest(new MillraceError("CANCELLED", "Cannot predict: another branch has failed"));
    } else if (this.#pendingCount === 0) this.#done.resolve();
  }

  #timeOut(timeoutMs: number): void {
    const late = this.#pending.map((index) => {
      const plan = this.#options.plans[index] as BranchPlan;
      return { index, plan, error: tookTooLong(plan.branch, timeoutMs) };
    });
    for (const { index, error } of late) {
      this.#traces[index]?.end("timeout");
      this.#traces[index]?.note("error", codeOf(error));
    }
    for (const { index, plan, error } of late) this.#end(index, { kind: "failed", plan, error });
    this.#cancellation.cancel(
      new MillraceError("CANCELLED", `Cannot predict: the limit of ${timeoutMs} ms is over`),
    );
  }

  #stop(reason: unknown): void {
    this.#done.reject(reason);
    this.#cancelRest(reason);
  }

  #cancelRest(reason: unknown): void {
    for (const index of this.#pending) this.#traces[index]?.end("cancelled");
    this.#cancellation.cancel(reason);
  }

  /** Indices of the branches that still run. */
  get #pending(): number[] {
    return [...this.#ends.keys()].filter((index) => this.#ends[index] === undefined);
  }
}

function tookTooLong({ name }: Branch, timeoutMs: number): MillraceError {
  return MillraceError.withoutStack(
    "DEADLINE_EXCEEDED",
    `Cannot predict: branch "${name}" took longer than ${timeoutMs} ms`,
    { reason: "branch_timeout" },
  );
}
