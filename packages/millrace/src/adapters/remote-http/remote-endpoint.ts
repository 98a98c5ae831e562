import { MillraceError } from "../../core/errors.ts";
import { specText, typeText } from "../../core/graph/spec-text.ts";
import type { StepContext } from "../../core/graph/step.ts";
import type { Cancellation } from "../../core/cancellation.ts";
import type { Breaker, BreakerPermit, CallOutcome } from "../../core/overload/breaker.ts";
import { fitsShape, type Tensor, type TensorSpec } from "../../core/tensor/tensor.ts";
import { agreeSpecs } from "./agree-specs.ts";
import type { FailureLog } from "./failure-log.ts";
import type { Specs } from "./protocol.ts";
import type { AskOptions, RemoteClient } from "./remote-client.ts";
import { remoteFailed } from "./remote-error.ts";
import { requestHeaders } from "./request-headers.ts";

/** A server that refuses a request may have another model now: it is asked again, at most this often. */
const DESCRIBE_EVERY_MS = 10_000;

export interface RemoteEndpointOptions {
  /** Of the step, for errors. */
  readonly remote: string;
  /** Host and port; with the path where two servers of the step have the same. */
  readonly name: string;
  readonly specs: Specs;
  readonly client: RemoteClient;
  readonly timeoutMs: number;
  readonly breaker: Breaker;
  readonly failures: FailureLog;
  /** Has the server said what it takes and gives, or that it does not say it? Else it is asked before it predicts. */
  readonly isDescribed: boolean;
  /** Told after each call that says something about the server. */
  readonly onOutcome: (isFailed: boolean) => void;
}

/** A call to one server for one request. */
export interface EndpointCall {
  readonly inputs: readonly Tensor[];
  readonly context: StepContext;
  /** Of this call alone: that of the request, or what ends it when another server was quicker. */
  readonly cancellation: Cancellation | undefined;
}

/** One of the servers that do a step. */
export class RemoteEndpoint {
  readonly name: string;
  readonly breaker: Breaker;
  readonly #options: RemoteEndpointOptions;
  #isDescribed: boolean;
  #describedMs = 0;
  #inFlight = 0;
  #calls = 0;
  #failures = 0;

  constructor(options: RemoteEndpointOptions) {
    this.name = options.name;
    this.breaker = options.breaker;
    this.#options = options;
    this.#isDescribed = options.isDescribed;
  }

  /** Calls under way. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Since it was opened. */
  get calls(): number {
    return this.#calls;
  }

  /** Those of them for which the server is to blame. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * @param permit of its breaker.
   * @throws REMOTE_FAILED, DEADLINE_EXCEEDED, OVERLOADED, INVALID_TENSOR; the reason of the cancellation.
   */
  async predict(permit: BreakerPermit, call: EndpointCall): Promise<Tensor[]> {
    const { failures, timeoutMs } = this.#options;
    const { clock, deadlineAtMs } = call.context;
    const startedMs = clock.nowMs();
    const leftMs = deadlineAtMs - startedMs;
    let outcome: CallOutcome = "ignored";
    this.#inFlight++;
    this.#calls++;
    try {
      const outputs = await this.#ask(call, Math.min(timeoutMs, leftMs));
      outcome = "ok";
      failures.answered();
      return outputs;
    } catch (error) {
      // Without the time it may take, a remote cannot show that it is well: a caller in a hurry proves nothing.
      const isInHurry = isLate(error) && leftMs < timeoutMs;
      if (isFailure(error) && !isInHurry) {
        outcome = "failed";
        failures.failed(error);
      }
      if (isRefusal(error)) this.#doubt(clock.nowMs());
      throw error;
    } finally {
      this.#inFlight--;
      this.breaker.record(permit, outcome, clock.nowMs() - startedMs);
      this.#count(outcome);
    }
  }

  #count(outcome: CallOutcome): void {
    if (outcome === "ignored") return;
    if (outcome === "failed") this.#failures++;
    this.#options.onOutcome(outcome === "failed");
  }

  async #ask({ inputs, context, cancellation }: EndpointCall, timeoutMs: number) {
    const { clock } = context;
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
    const { remote, specs, client } = this.#options;
    const agreement = agreeSpecs(specs, await client.describe(options));
    if (agreement.kind === "problems") {
      const state = "takes or gives something else than the file declares";
      const cause = new Error(agreement.problems.join("; "));
      throw remoteFailed(remote, state, { reason: "mismatch", cause });
    }
    this.#isDescribed = true;
    this.#describedMs = options.clock.nowMs();
  }

  #doubt(nowMs: number): void {
    if (nowMs - this.#describedMs >= DESCRIBE_EVERY_MS) this.#isDescribed = false;
  }

  #check(outputs: readonly Tensor[], rows: number | undefined): void {
    const { remote, specs } = this.#options;
    for (const [i, output] of outputs.entries()) {
      const spec = specs.outputs[i] as TensorSpec;
      const { name, shape } = output;
      if (!fitsShape(shape, spec.shape)) {
        const state = `gave "${name}" as ${typeText(output)}, expected ${specText(spec)}`;
        throw remoteFailed(remote, state, { reason: "reply" });
      }
      if (rows === undefined || spec.shape[0] !== -1 || shape[0] === rows) continue;
      const state = `gave ${shape[0] ?? 0} rows of "${name}" for ${rows}`;
      throw remoteFailed(remote, state, { reason: "reply" });
    }
  }
}

/** Undefined when no input counts rows. */
function rowsOf(inputs: readonly Tensor[], specs: readonly TensorSpec[]): number | undefined {
  const index = specs.findIndex(({ shape }) => shape[0] === -1);
  return inputs[index]?.shape[0];
}

function isLate(error: unknown): boolean {
  return error instanceof MillraceError && error.code === "DEADLINE_EXCEEDED";
}

/** Is the server to blame? Not for a request it refuses, more than it allows, or what was given up. */
function isFailure(error: unknown): boolean {
  if (!(error instanceof MillraceError)) return true;
  if (error.code === "DEADLINE_EXCEEDED") return true;
  return error.code === "REMOTE_FAILED" && !BLAMELESS.has(error.reason);
}

const BLAMELESS: ReadonlySet<string | undefined> = new Set(["refused", "limited"]);

function isRefusal(error: unknown): boolean {
  return error instanceof MillraceError && error.reason === "refused";
}
