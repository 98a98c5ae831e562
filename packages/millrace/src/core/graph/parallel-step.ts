import { ERRORS, MillraceError, type ErrorCode } from "../errors.ts";
import type { Tensor, TensorSpec } from "../tensor/tensor.ts";
import type { Branch, BranchResult, Combiner } from "./branch.ts";
import { ParallelRun, type BranchEnd, type ParallelRunOptions } from "./parallel-run.ts";
import { branchScores } from "./branch-scores.ts";
import { predictionOf } from "./prediction-of.ts";
import { codeOf } from "./run-step.ts";
import type { Degradation, StepOutcome } from "./step-outcome.ts";
import type { StepTrace } from "./step-trace.ts";
import type { Step, StepContext } from "./step.ts";

export interface ParallelStepOptions extends ParallelRunOptions {
  readonly name: string;
  readonly inputs: readonly TensorSpec[];
  /** Deactivated branches that are not run. */
  readonly omitted: readonly Branch[];
  readonly combiner: Combiner;
}

/** Runs steps at the same time on the same inputs and makes one outcome of theirs. It takes as long as the slowest. */
export class ParallelStep implements Step {
  readonly name: string;
  readonly kind = "parallel";
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly prediction: number | "all";
  readonly labels: readonly string[] | undefined;
  readonly score: number;
  readonly #options: ParallelStepOptions;

  /** @param options checked by `buildParallel`. */
  constructor(options: ParallelStepOptions) {
    const { combiner } = options;
    this.name = options.name;
    this.inputs = options.inputs;
    this.outputs = combiner.outputs;
    this.prediction = combiner.prediction;
    this.labels = combiner.labels;
    this.score = combiner.score;
    this.#options = options;
  }

  async run(inputs: readonly Tensor[], context: StepContext): Promise<StepOutcome> {
    const { combiner, omitted } = this.#options;
    for (const { name, step } of omitted) {
      const trace = context.trace.begin(name, step.kind);
      trace.note("deactivated", true);
      trace.end("omitted");
    }
    context.trace.note("combine", combiner.kind);
    const ends = await new ParallelRun(this.#options, context).run(inputs);
    for (const end of ends) if (end.kind === "ok") noteScore(resultOf(end), context.trace);
    const active = ends.filter(({ plan }) => !plan.isObserved);
    if (active.length === 0) throw allDeactivated();
    const results = active.filter((end) => end.kind === "ok").map(resultOf);
    const failures = active.filter((end) => end.kind === "failed");
    if (results.length === 0) throw allFailed(failures);
    if (failures.length > 0) {
      context.trace.note("missing", failures.map(({ plan }) => plan.branch.name).join(", "));
    }
    return {
      outputs: await combiner.combine(results, context),
      observed: ends.flatMap(observedOf),
      degraded: active.flatMap(degradationsOf),
    };
  }
}

/** Why a branch says 1 or 0: for the first row. */
function noteScore(result: BranchResult, { children }: StepTrace): void {
  const { name, threshold } = result.branch;
  if (threshold === undefined) return;
  const trace = children.find((child) => child.name === name);
  const score = branchScores(result)[0];
  if (score !== undefined) trace?.note("score", score);
  trace?.note("threshold", threshold);
}

type FailedEnd = Extract<BranchEnd, { readonly kind: "failed" }>;

function resultOf(end: Extract<BranchEnd, { readonly kind: "ok" }>): BranchResult {
  return { branch: end.plan.branch, outputs: end.outcome.outputs };
}

/** What is only observed in a branch, and the branch itself when it is. */
function observedOf(end: BranchEnd): Tensor[] {
  if (end.kind === "failed") return [];
  const { branch, isObserved } = end.plan;
  const { outputs, observed } = end.outcome;
  const inner = observed.map((tensor) => ({ ...tensor, name: `${branch.name}.${tensor.name}` }));
  if (!isObserved) return inner;
  const prediction = predictionOf(branch.step, outputs);
  if (prediction !== undefined) return [{ ...prediction, name: branch.name }, ...inner];
  return [
    ...outputs.map((tensor) => ({ ...tensor, name: `${branch.name}.${tensor.name}` })),
    ...inner,
  ];
}

function degradationsOf(end: BranchEnd): Degradation[] {
  const { name } = end.plan.branch;
  if (end.kind === "failed") {
    return [{ kind: "missing", step: name, code: codeOf(end.error), cause: end.error }];
  }
  return end.outcome.degraded.map((one) => ({ ...one, step: `${name}.${one.step}` }));
}

function allDeactivated(): MillraceError {
  return MillraceError.withoutStack("DEACTIVATED", "Cannot predict: every branch is deactivated");
}

/** A failure of the server's own among them makes it one; else callers hear of an overload before anything else. */
function allFailed(failures: readonly FailedEnd[]): MillraceError {
  const codes = failures.map(({ error }) => codeOf(error));
  const [first = "MODEL_FAILED"] = codes;
  const isAlike = codes.every((one) => one === first);
  const isDefect = codes.some((one) => ERRORS[one].status === 500);
  const mixed = codes.includes("OVERLOADED") ? "OVERLOADED" : first;
  const code: ErrorCode = isAlike ? first : isDefect ? "MODEL_FAILED" : mixed;
  const own = failures
    .map(({ error }) => error)
    .filter((error) => error instanceof MillraceError && error.code === code) as MillraceError[];
  const [reason, otherReason] = new Set(own.map((error) => error.reason));
  const retryAfterSeconds = Math.max(0, ...own.map((error) => error.retryAfterSeconds ?? 0));
  const texts = failures.map(({ plan, error }) => `"${plan.branch.name}" (${textOf(error)})`);
  return new MillraceError(code, `Cannot predict: every branch failed: ${texts.join(", ")}`, {
    ...(reason !== undefined && otherReason === undefined && { reason }),
    ...(retryAfterSeconds > 0 && { retryAfterSeconds }),
    cause: failures[0]?.error,
  });
}

/** What a bug says is for the log. */
function textOf(error: unknown): string {
  return error instanceof MillraceError ? error.message : "internal error";
}
