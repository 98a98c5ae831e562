import type { Clock } from "../clock.ts";
import type { TestClock } from "../test-clock.ts";
import type { Tensor, TensorSpec } from "../tensor/tensor.ts";
import type { StepBuild } from "./graph-problem.ts";
import { RetryBudget } from "../overload/retry-budget.ts";
import { outcomeOf, type StepOutcome } from "./step-outcome.ts";
import { StepTrace } from "./step-trace.ts";
import type { Step, StepContext } from "./step.ts";

export interface TestStepOptions {
  readonly inputs?: readonly TensorSpec[];
  readonly outputs?: readonly TensorSpec[];
  readonly prediction?: number | "all";
  readonly labels?: readonly string[];
  readonly score?: number;
  /** Time of the clock that a run takes; Infinity never ends. */
  readonly tookMs?: number;
  /** What it gives; by default its inputs, renamed to its outputs. */
  readonly give?: (inputs: readonly Tensor[]) => readonly Tensor[];
  /** What it throws instead, when its time is over. */
  readonly error?: Error;
  /** It goes on when it is cancelled, as a computation does that cannot be stopped. */
  readonly isDeaf?: boolean;
}

const VALUES: TensorSpec = { name: "x", datatype: "FP32", shape: [-1, 2] };

/** A step that takes time of a test's clock and counts its runs. */
export class TestStep implements Step {
  readonly name: string;
  readonly kind = "test";
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly prediction: number | "all";
  readonly labels: readonly string[] | undefined;
  readonly score: number;
  /** Of every run, oldest first. */
  readonly contexts: StepContext[] = [];
  readonly received: (readonly Tensor[])[] = [];
  cancelledCount = 0;
  readonly #options: TestStepOptions;

  constructor(name: string, options: TestStepOptions = {}) {
    this.name = name;
    this.inputs = options.inputs ?? [VALUES];
    this.outputs = options.outputs ?? [{ ...VALUES, name: "y" }];
    this.prediction = options.prediction ?? 0;
    this.labels = options.labels;
    this.score = options.score ?? 0;
    this.#options = options;
  }

  get runCount(): number {
    return this.contexts.length;
  }

  async run(inputs: readonly Tensor[], context: StepContext): Promise<StepOutcome> {
    this.contexts.push(context);
    this.received.push(inputs);
    const { tookMs = 0, error, give } = this.#options;
    if (tookMs > 0) await this.#take(tookMs, context);
    if (error !== undefined) throw error;
    return outcomeOf(give === undefined ? this.#renamed(inputs) : give(inputs));
  }

  #take(tookMs: number, { clock, cancellation }: StepContext): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = tookMs === Infinity ? undefined : clock.schedule(tookMs, () => end(resolve));
      const unwatch = cancellation?.watch(() => {
        this.cancelledCount++;
        if (this.#options.isDeaf === true) return;
        end(() => reject(cancellation.reason));
      });
      const end = (settle: () => void): void => {
        stop?.();
        unwatch?.();
        settle();
      };
    });
  }

  #renamed(inputs: readonly Tensor[]): Tensor[] {
    return this.outputs.map(({ name }, i) => ({ ...(inputs[i] ?? (inputs[0] as Tensor)), name }));
  }
}

/** A context as the data plane makes it: no deadline, no client that goes, no attributes. */
export function testContext(clock: Clock, overrides: Partial<StepContext> = {}): StepContext {
  return {
    clock,
    deadlineAtMs: Infinity,
    cancellation: undefined,
    priority: 2,
    request: { predictionId: "test", requestId: undefined, attributes: undefined },
    trace: StepTrace.start("test", "request", clock),
    budget: new RetryBudget(),
    ...overrides,
  };
}

/** Rows of a FP32 tensor. */
export function rowsTensor(name: string, ...rows: number[][]): Tensor {
  const data = Float32Array.from(rows.flat());
  return { name, datatype: "FP32", shape: [rows.length, rows[0]?.length ?? 0], data };
}

/** Moves the clock, `tickMs` at a time, until the promise is settled. */
export async function settle<T>(clock: TestClock, promise: Promise<T>, tickMs = 1): Promise<T> {
  let isSettled = false;
  const done = (): void => void (isSettled = true);
  promise.then(done, done);
  for (let i = 0; i < 10_000; i++) {
    await allPromises();
    if (isSettled) return promise;
    clock.advanceMs(tickMs);
  }
  throw new Error("the promise is not settled after 10,000 ticks of the clock");
}

/** Until everything that is settled has been heard. */
export function allPromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** @throws what speaks against the step. */
export function mustBuild(build: StepBuild): Step {
  if (build.kind === "step") return build.step;
  throw new Error(build.problems.map(({ message }) => message).join("\n"));
}

/** What speaks against a step, as `path: message`. */
export function problemsOf(build: StepBuild): string[] {
  if (build.kind === "step") return [];
  return build.problems.map(({ path, message }) => `${path.join(".")}: ${message}`);
}
