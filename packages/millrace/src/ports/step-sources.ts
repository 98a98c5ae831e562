import type { Combiner } from "../core/graph/branch.ts";
import type { Step } from "../core/graph/step.ts";
import type { BreakerKind } from "../core/overload/breaker.ts";
import type { EjectionRules } from "../core/overload/ejection.ts";
import type { TensorSpec } from "../core/tensor/tensor.ts";

/** Makes the steps whose work is done outside the graph: in files of the user, by a decoder, by other servers. */
export interface StepSources {
  /** @throws MODEL_LOAD_FAILED when the decoder is not installed. */
  image(name: string, options: ImageOptions): Promise<SourceStep>;
  /** A function of the user; it runs in a thread of its own. @throws MODEL_LOAD_FAILED saying what is wrong with the file. */
  function(name: string, options: FunctionOptions): Promise<SourceStep>;
  /** As `function`, for one that fetches data by key. */
  load(name: string, options: FunctionOptions): Promise<SourceStep>;
  /** @throws MODEL_LOAD_FAILED when the server says what it takes and gives, and that cannot be. */
  remote(name: string, options: RemoteOptions): Promise<SourceStep>;
  /** A user's way to combine branches. @throws as `function`. */
  combine(path: string): Promise<SourceCombiner>;
}

/** A step that owns something: a thread, connections. */
export interface SourceStep {
  readonly step: Step;
  /** Differs when the same inputs may give something else: of the file's content and the options. */
  readonly digest: string;
  /** Can it answer now, as far as that is known? Absent: it can, as long as it is open. */
  readonly isUp?: boolean;
  /** The servers that do it, as they are now; absent for what runs here. */
  readonly endpoints?: () => readonly EndpointStatus[];
  close(): Promise<void>;
}

/** One of the servers of a remote step. */
export interface EndpointStatus {
  /** Host and port, as the file has them; with the path where two have the same. */
  readonly endpoint: string;
  readonly breaker: BreakerKind;
  /** Is it left alone for a while, because one call after the other failed? */
  readonly isEjected: boolean;
  /** Since it was opened. */
  readonly ejections: number;
  readonly calls: number;
  readonly failures: number;
}

export interface SourceCombiner {
  readonly combiner: Combiner;
  readonly digest: string;
  close(): Promise<void>;
}

/** An image becomes a tensor `[batch, channel, height, width]` or `[batch, height, width, channel]`. */
export interface ImageOptions {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** `fill` distorts, `cover` cuts, `contain` leaves black borders. */
  readonly fit: "fill" | "cover" | "contain";
  readonly channels: "rgb" | "bgr" | "gray";
  /** By channel; each value becomes (value × scale − mean) / std. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly scale: number;
  readonly layout: "nchw" | "nhwc";
  readonly datatype: "FP32" | "UINT8";
  /** Largest picture, in pixels and in bytes as it comes. */
  readonly pixelsMax: number;
  readonly bytesMax: number;
}

export interface FunctionOptions {
  /** Absolute path of a .ts, .mts, .js or .mjs file. */
  readonly path: string;
  /** A call that takes longer is ended with its thread. */
  readonly timeoutMs: number;
  /** Threads that run it side by side in one process. */
  readonly threads: number;
  /** Calls that wait for a thread; one more is refused. */
  readonly queue: number;
}

export interface RemoteOptions {
  /** Addresses of servers that do the same; at least one. */
  readonly urls: readonly string[];
  readonly protocol: "oip" | "tensorflow" | "kserve-v1" | "json";
  /** Model there; undefined where the address names it. */
  readonly model: string | undefined;
  /** Of the model there; undefined leaves it to the server. */
  readonly version: string | undefined;
  /** What it takes and gives, for servers that do not say it. */
  readonly inputs: readonly TensorSpec[] | undefined;
  readonly outputs: readonly TensorSpec[] | undefined;
  readonly labels: readonly string[] | undefined;
  /** Sent with every request; values may be secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Requests under way at a time from one process to each server; one more is refused. */
  readonly concurrency: number;
  readonly replyBytesMax: number;
  /** When a server that fails is left alone; undefined never. */
  readonly ejection: EjectionRules | undefined;
  /** When a second server is asked beside one that is slow; undefined never. */
  readonly hedge: HedgeOptions | undefined;
}

export interface HedgeOptions {
  /** Milliseconds without an answer, or as long as 95 % of the latest answers took. */
  readonly after: number | "p95";
}
