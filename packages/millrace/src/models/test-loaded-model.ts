import { MillraceError } from "../core/errors.ts";
import type { Tensor, TensorSpec } from "../core/tensor/tensor.ts";
import type { LoadedModel, ModelDescription, Placement, RunOutputs } from "../ports/runtime.ts";

/** A run that a test ends by hand. */
export interface TestRun {
  readonly inputs: readonly Tensor[];
  readonly outputNames: readonly string[];
  readonly isInputOwned: boolean;
  end(outputs: Tensor[], computeMs?: number): void;
  fail(error: unknown): void;
}

export interface TestModelOptions {
  readonly placement?: Placement;
  readonly inputs?: readonly TensorSpec[];
  readonly outputs?: readonly TensorSpec[];
}

const VALUES: TensorSpec = { name: "INPUT", datatype: "FP32", shape: [-1, 1] };

/** A loaded model whose runs, death and end a test decides. */
export class TestModel implements LoadedModel {
  readonly placement: Placement;
  readonly description: ModelDescription;
  /** Not ended yet, oldest first. */
  readonly runs: TestRun[] = [];
  isClosed = false;
  #lost: MillraceError | undefined;
  readonly #listeners: ((reason: MillraceError) => void)[] = [];
  #onIdle: (() => void) | undefined;

  constructor({ placement = "worker", inputs = [VALUES], outputs }: TestModelOptions = {}) {
    this.placement = placement;
    this.description = {
      inputs,
      outputs: outputs ?? [{ ...VALUES, name: "OUTPUT" }],
      outputAliases: {},
      probabilitiesOutput: undefined,
      labels: undefined,
      sha256: "",
      loadedSha256: "",
      changes: [],
      sizeBytes: 0,
      details: {},
    };
  }

  run(
    inputs: readonly Tensor[],
    outputNames: readonly string[],
    options: { readonly isInputOwned?: boolean } = {},
  ): Promise<RunOutputs> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    const { promise, resolve, reject } = Promise.withResolvers<RunOutputs>();
    const ended = (): void => {
      this.runs.splice(this.runs.indexOf(run), 1);
      if (this.runs.length === 0) this.#onIdle?.();
    };
    const run: TestRun = {
      inputs,
      outputNames,
      isInputOwned: options.isInputOwned === true,
      end(outputs, computeMs = 1) {
        ended();
        resolve({ outputs, computeMs });
      },
      fail(error) {
        ended();
        reject(error);
      },
    };
    this.runs.push(run);
    return promise;
  }

  onLost(listener: (reason: MillraceError) => void): void {
    this.#listeners.push(listener);
  }

  /** Dies, as a thread does: everything in it fails, and it can run no more. */
  die(): void {
    this.#lost = new MillraceError("EXECUTOR_LOST", "Cannot run the model: its thread ended");
    const reason = this.#lost;
    for (const listener of this.#listeners) listener(reason);
    for (const run of this.runs.slice()) run.fail(reason);
  }

  /** Ends when its runs have, as a thread does. */
  async close(): Promise<void> {
    if (this.runs.length > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    this.isClosed = true;
  }
}

/** A model that is a function from inputs to outputs; each run takes what `computeMs` says. */
export class ComputedModel extends TestModel {
  readonly #compute: (inputs: readonly Tensor[]) => Tensor[];
  readonly #computeMs: (rows: number) => number;
  /** Rows of every run so far. */
  readonly rowsRun: number[] = [];

  constructor(
    compute: (inputs: readonly Tensor[]) => Tensor[],
    options: TestModelOptions & { readonly computeMs?: (rows: number) => number } = {},
  ) {
    super(options);
    this.#compute = compute;
    this.#computeMs = options.computeMs ?? (() => 1);
  }

  override run(inputs: readonly Tensor[]): Promise<RunOutputs> {
    const rows = inputs[0]?.shape[0] ?? 0;
    this.rowsRun.push(rows);
    return Promise.resolve().then(() => ({
      outputs: this.#compute(inputs),
      computeMs: this.#computeMs(rows),
    }));
  }
}

/** Lets everything happen that waits for a promise and not for the clock. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
