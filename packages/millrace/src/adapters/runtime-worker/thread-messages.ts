import type { Tensor } from "../../core/tensor/tensor.ts";
import type { ModelDescription, ModelFile, RunOutputs } from "../../ports/runtime.ts";
import type { WireError } from "./wire-error.ts";

/** What a model's thread is started with. */
export interface ThreadStart {
  readonly file: ModelFile;
  /** Memory of its NativeCalls. */
  readonly nativeCalls: SharedArrayBuffer;
}

/** What it is told. */
export type ThreadOrder =
  | {
      readonly kind: "run";
      /** Names the run in the report. */
      readonly id: number;
      readonly inputs: readonly Tensor[];
      readonly outputNames: readonly string[];
    }
  /** Free the model, or load it no further, and end. */
  | { readonly kind: "close" };

/** What it answers: first one of the `load` kinds, then one of the `run` kinds for each run, in order. */
export type ThreadReport =
  | { readonly kind: "loaded"; readonly description: ModelDescription }
  | { readonly kind: "loadFailed"; readonly error: WireError }
  | { readonly kind: "ran"; readonly id: number; readonly run: RunOutputs }
  | { readonly kind: "runFailed"; readonly id: number; readonly error: WireError };
