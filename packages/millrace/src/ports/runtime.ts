import type { MillraceError } from "../core/errors.ts";
import type { Tensor, TensorSpec } from "../core/tensor/tensor.ts";

/**
 * Loads model files and runs them. Every adapter passes test/contract/runtime-contract.ts.
 */
export interface Runtime {
  /** Name in the configuration (`runtime: onnx`) and in metadata. */
  readonly name: string;
  /** Open Inference Protocol platform name, `<project>_<format>`: `onnx_onnxv1`. */
  readonly platform: string;
  /**
   * Reads, checks and prepares one model file.
   * @throws MODEL_LOAD_FAILED with a message that names the file and says why: not there, empty, truncated,
   * not this format, an operator set that is not supported, external data outside its folder, `sha256` differs.
   */
  load(file: ModelFile, signal?: AbortSignal): Promise<LoadedModel>;
}

export interface ModelFile {
  /** Absolute path of the model file; of a program that takes no source, its folder. */
  readonly path: string;
  /** Lower-case hex digest the file must have; undefined accepts any. */
  readonly sha256: string | undefined;
  /** Threads one run may use, at least 1. */
  readonly threads: number;
  /** What serves the file, where the runtime is `process`. */
  readonly program?: ModelProgram | undefined;
}

/** A program that serves one model. Words and values of `env` may hold `{source}`, `{model}`, `{socket}`, `{port}`, `{threads}`. */
export interface ModelProgram {
  /** Name by which the program is asked for the model. */
  readonly model: string;
  /** The executable, then its arguments. No shell reads them. */
  readonly command: readonly string[];
  /** Absolute path of its working folder. */
  readonly folder: string;
  /** Absolute paths of files in that folder that the command names: what they hold is part of the model. */
  readonly files: readonly string[];
  /** Is there a model file or folder that the program is given? */
  readonly hasSource: boolean;
  /** Its environment beside the few variables that every program gets. Values may be secrets. */
  readonly env: Readonly<Record<string, string>>;
  /** Longest time from its start until it is ready. */
  readonly startMs: number;
}

/** Where a model computes: `inline` on the thread that calls it, which waits; `worker` on a thread or in a process of its own. */
export type Placement = "inline" | "worker";

export interface RunOptions {
  /** Stops a run that has not started. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The caller gives the memory of the inputs away, default false: after the call it reads neither their data nor
   * anything else in the same ArrayBuffers, which may be detached, whole, even where a tensor is only a window of one.
   * Saves a copy on the way to another thread. What cannot move, such as Node's pool of small Buffers, is copied.
   */
  readonly isInputOwned?: boolean;
}

export interface RunOutputs {
  /** In the order of the names; their memory is the caller's. */
  readonly outputs: Tensor[];
  /** Time of the model alone, without waiting for other runs and without the way to its thread and back. */
  readonly computeMs: number;
}

/** A model in memory, ready to run. Owns native memory until `close`. */
export interface LoadedModel {
  readonly description: ModelDescription;
  readonly placement: Placement;
  /**
   * Runs the model once. Runs that overlap compute one after the other, in the order of their calls.
   * @param inputs one tensor per input of the description, already checked against it. They stay the caller's, who
   * must not change them until the run has ended, unless `isInputOwned` gives them away.
   * @param outputNames outputs to compute and return, in this order.
   * @throws MODEL_FAILED when the model itself fails; EXECUTOR_LOST when its thread or process died meanwhile or before;
   * OVERLOADED when a thread has too many runs before this one; `signal.reason` when it was aborted before it started.
   */
  run(
    inputs: readonly Tensor[],
    outputNames: readonly string[],
    options?: RunOptions,
  ): Promise<RunOutputs>;
  /**
   * Calls `listener` once, with why, when the model can run no more though nobody closed it: its thread or process died.
   * A listener that comes after that is called as well. A model that computes inline is never lost.
   */
  onLost(listener: (reason: MillraceError) => void): void;
  /** Frees native memory. The caller has waited for all runs, or gives up those that do not end. */
  close(): Promise<void>;
}

export interface ModelDescription {
  /** Platform the model itself names; undefined takes the runtime's. */
  readonly platform?: string | undefined;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Other names an output answers to: the name it had in the file before a rewrite → its name now. */
  readonly outputAliases: Readonly<Record<string, string>>;
  /** Output that holds class probabilities or scores, `[batch, class]`, when the file shows it is a classifier. */
  readonly probabilitiesOutput: string | undefined;
  /** Class names found in the file, in the order of the probabilities; undefined when the file has none. */
  readonly labels: readonly string[] | undefined;
  /** Digest of the file as it is on disk. */
  readonly sha256: string;
  /** Digest of what the runtime was given; differs from `sha256` when `changes` is not empty. */
  readonly loadedSha256: string;
  /** What was rewritten while loading, one sentence each. */
  readonly changes: readonly string[];
  readonly sizeBytes: number;
  /** Format details for people: producer, IR version, operator sets. */
  readonly details: Readonly<Record<string, string>>;
}
