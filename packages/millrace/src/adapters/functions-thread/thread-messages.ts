import type { ComparedOutputs } from "../../core/compare/compared-rows.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { Declaration } from "./declaration.ts";
import type { PrintLevel } from "./printed-lines.ts";

/** What a file of functions is used for; it decides what its default export has to be. */
export type FunctionKind = "function" | "load" | "combine" | "compare";

/** What a function's thread is started with. */
export interface ThreadStart {
  readonly kind: FunctionKind;
  /** Absolute path of the file; what it imports is found from there. */
  readonly path: string;
  /** Its text as it was when the step was made: a thread that starts later runs the same. */
  readonly source: string;
}

/** Tensors that belong together: the inputs of a step, or what one branch gave. */
export interface TensorGroup {
  /** Of the branch; empty for the inputs of a step. */
  readonly name: string;
  readonly tensors: readonly Tensor[];
  /** Of a branch: name of the output that is its prediction, and the names of its classes. */
  readonly prediction: string | undefined;
  readonly labels: readonly string[] | undefined;
  /** Of an answer or a shadow, for a comparison: how it is shown to it. */
  readonly compared?: ComparedForm;
}

/** As in `ComparedOutputs`; `rowCount` undefined where rows cannot be told apart. */
export interface ComparedForm extends Omit<ComparedOutputs, "outputs" | "labels"> {
  readonly rowCount: number | undefined;
}

/** What the function is told about the request. */
export interface CallFacts {
  readonly requestId: string | undefined;
  readonly predictionId: string;
  readonly traceparent: string | undefined;
  readonly rowCount: number;
}

/** What the thread is told. One call at a time. */
export type ThreadOrder =
  | {
      readonly kind: "call";
      /** Names the call in the report. */
      readonly id: number;
      readonly groups: readonly TensorGroup[];
      readonly facts: CallFacts;
    }
  /** Nobody waits for this call any more. */
  | { readonly kind: "abort"; readonly id: number };

/** What it answers: first one of the `load` kinds, then one of the others for each call. */
export type ThreadReport =
  | { readonly kind: "loaded"; readonly declaration: Declaration }
  | { readonly kind: "loadFailed"; readonly why: string; readonly thrown: Thrown | undefined }
  | { readonly kind: "done"; readonly id: number; readonly outputs: readonly Tensor[] }
  | { readonly kind: "failed"; readonly id: number; readonly failure: CallFailure }
  /** A line that the function printed. It may come at any time. */
  | { readonly kind: "printed"; readonly level: PrintLevel; readonly line: string };

/** Why a call failed. */
export type CallFailure =
  /** The function threw: for the log alone. */
  | { readonly kind: "threw"; readonly thrown: Thrown }
  /** It gave something else than it declares. @example `gave no output "x"` */
  | { readonly kind: "output"; readonly state: string }
  /** It threw InvalidInput: for the caller. */
  | {
      readonly kind: "input";
      readonly message: string;
      readonly input: string | undefined;
      readonly row: number | undefined;
    }
  /** A load function has nothing for these rows. */
  | { readonly kind: "missing"; readonly rows: readonly number[] };

/** What was thrown, as text: it may be anything, also what cannot be sent. */
export interface Thrown {
  readonly message: string;
  readonly stack: string | undefined;
}
