import { MillraceError } from "../../core/errors.ts";
import { specText, typeText } from "../../core/graph/spec-text.ts";
import { outcomeOf, type StepOutcome } from "../../core/graph/step-outcome.ts";
import type { Step, StepContext } from "../../core/graph/step.ts";
import type { Breaker, CallOutcome } from "../../core/overload/breaker.ts";
import { fitsShape, type Tensor, type TensorSpec } from "../../core/tensor/tensor.ts";
import { agreeSpecs } from "./agree-specs.ts";
import type { FailureLog } from "./failure-log.ts";
import type { Specs } from "./protocol.ts";
import type { AskOptions, RemoteClient } from "./remote-client.ts";
import { remoteFailed } from "./remote-error.ts";
import { requestHeaders } from "./request-headers.ts";

/** A server that refuses a request may have another model now: it is asked again, at most this often. */
const DESCRIBE_EVERY_MS = 10_000;

export interface RemoteStepOptions {
  readonly name: string;
  readonly specs: Specs;
  readonly labels: readonly string[] | undefined;
  readonly client: RemoteClient;
  readonly timeoutMs: number;
  readonly breaker: Breaker;
  readonly failures: FailureLog;
  /** Has the server said what it takes and gives, or that it does not say it? Else it is asked before it predicts. */
  readonly isDescribed: boolean;
}

/** A step that another server does. */
export class RemoteStep implements Step {
  readonly name: string;
  readonly kind = "remote";
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly prediction: number;
  readonly labels: readonly string[] | undefined;
  readonly score = 0;
  readonly #options: RemoteStepOptions;
  #isDescribed: boolean;
  #describedMs = 0;

  constructor(options: RemoteStepOptions) {
    const { inputs, outputs } = options.specs;
    this.name = options.name;
    this.inputs = inputs;
    this.outputs = outputs;
    this.prediction = predictionOf(outputs);
    this.labels = options.labels;
    this.#options = options;
    this.#isDescribed = options.isDescribed;
  }

  async run(inputs: readonly Tensor[], context: StepContext): Promise<StepOutcome> {
    const { breaker, failures, timeoutMs } = this.#options;
    const permit = breaker.tryAcquire();
    if (permit.kind === "refused") throw breakerOpen(this.name, permit.retryAfterMs);
    const startedMs = context.clock.nowMs();
    const leftMs = context.deadlineAtMs - startedMs;
    let outcome: CallOutcome = "ignored";
    try {
      const outputs = await this.#predict(inputs, context, Math.min(timeoutMs, leftMs));
      outcome = "ok";
      failures.answered();
      return outcomeOf(outputs);
    } catch (error) {
      // Without the time it may take, a remote cannot show that it is well: a caller in a hurry proves nothing.
      const isInHurry = isLate(error) && leftMs < timeoutMs;
      if (isFailure(error) && !isInHurry) {
        outcome = "failed";
        failures.failed(error);
      }
      if (isRefusal(error)) this.#doubt(context.clock.nowMs());
      throw error;
    } finally {
      breaker.record(permit, outcome, context.clock.nowMs() - startedMs);
    }
  }

  async #predict(
    inputs: readonly Tensor[],
    context: StepContext,
    timeoutMs: number,
  ): Promise<Tensor[]> {
    const { clock, cancellation } = context;
    const untilMs = clock.nowMs() + timeoutMs;
    const askOptions = (): AskOptions => {
      const left = Math.max(1, untilMs - clock.nowMs());
      return { clock, cancellation, timeoutMs: left, headers: requestHeaders(context, left) };
    };
    if (!this.#isDescribed) await this.#describe(askOptions());
    const { specs, client } = this.#options;
    const rows = rowsOf(inputs, specs.inputs);
    const outputs = await client.predict(inputs, specs, rows, askOptions());
    this.#check(outputs, rows);
    return outputs;
  }

  /** What could not be settled when the step was made, because the server did not answer. */
  async #describe(options: AskOptions): Promise<void> {
    const { specs, client } = this.#options;
    const agreement = agreeSpecs(specs, await client.describe(options));
    if (agreement.kind === "problems") {
      const state = "takes or gives something else than the file declares";
      const cause = new Error(agreement.problems.join("; "));
      throw remoteFailed(this.name, state, { reason: "mismatch", cause });
    }
    this.#isDescribed = true;
    this.#describedMs = options.clock.nowMs();
  }

  #doubt(nowMs: number): void {
    if (nowMs - this.#describedMs >= DESCRIBE_EVERY_MS) this.#isDescribed = false;
  }

  #check(outputs: readonly Tensor[], rows: number | undefined): void {
    for (const [i, output] of outputs.entries()) {
      const spec = this.outputs[i] as TensorSpec;
      const { name, shape } = output;
      if (!fitsShape(shape, spec.shape)) {
        const state = `gave "${name}" as ${typeText(output)}, expected ${specText(spec)}`;
        throw remoteFailed(this.name, state, { reason: "reply" });
      }
      if (rows === undefined || spec.shape[0] !== -1 || shape[0] === rows) continue;
      const state = `gave ${shape[0] ?? 0} rows of "${name}" for ${rows}`;
      throw remoteFailed(this.name, state, { reason: "reply" });
    }
  }
}

/** What classifiers, scikit-learn's exports among them, call their probabilities. */
const PROBABILITIES: ReadonlySet<string> = new Set(["probabilities", "output_probability"]);

/** As models have it: the probabilities of a classifier, else the first. */
function predictionOf(outputs: readonly TensorSpec[]): number {
  const index = outputs.findIndex(({ name }) => PROBABILITIES.has(name));
  return Math.max(0, index);
}

/** Undefined when no input counts rows. */
function rowsOf(inputs: readonly Tensor[], specs: readonly TensorSpec[]): number | undefined {
  const index = specs.findIndex(({ shape }) => shape[0] === -1);
  return inputs[index]?.shape[0];
}

function isLate(error: unknown): boolean {
  return error instanceof MillraceError && error.code === "DEADLINE_EXCEEDED";
}

/** Is the remote to blame? Not for a request it refuses, or one that was given up. */
function isFailure(error: unknown): boolean {
  if (!(error instanceof MillraceError)) return true;
  return (
    error.code === "DEADLINE_EXCEEDED" || (error.code === "REMOTE_FAILED" && !isRefusal(error))
  );
}

function isRefusal(error: unknown): boolean {
  return error instanceof MillraceError && error.reason === "refused";
}

function breakerOpen(remote: string, retryAfterMs: number): MillraceError {
  return MillraceError.withoutStack(
    "OVERLOADED",
    `Cannot predict: remote "${remote}" keeps failing, it is tried again soon`,
    { reason: "breaker", retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)) },
  );
}
