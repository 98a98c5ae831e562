import type { Rule } from "../core/rules/rule-set.ts";
import type { JsonValue } from "../core/json.ts";
import type { Placement } from "../ports/runtime.ts";

/**
 * The configuration as the rest of the code sees it: every default filled in, every path absolute, every
 * number with its unit in the name. Plain data, so that the supervisor can send it to the serve processes.
 */
export interface Config {
  readonly name: string;
  readonly owner: string | undefined;
  readonly runbook: string | undefined;
  /** The file it came from; undefined for `millrace serve model.onnx` and the library. */
  readonly file: string | undefined;
  readonly server: ServerConfig;
  /** Where Millrace writes; undefined keeps everything in memory (the library's default). */
  readonly stateDir: string | undefined;
  readonly models: Readonly<Record<string, ModelConfig>>;
  /** Every model has a service of its own name unless the file declares one of that name. */
  readonly services: Readonly<Record<string, ServiceConfig>>;
}

export interface ServerConfig {
  readonly host: string;
  /** 0 takes a free port. */
  readonly httpPort: number;
  readonly grpcPort: number | "off";
  readonly metricsPort: number | "off";
  /** Serve processes under `millrace up`. */
  readonly processes: number | "auto";
  readonly bodyBytesMax: number;
  /** Longest time SIGTERM waits for requests in flight. */
  readonly drainMs: number;
  readonly keys: readonly ApiKey[];
  /** Absolute paths of PEM files. */
  readonly tls: { readonly certPath: string; readonly keyPath: string } | undefined;
  readonly corsOrigins: readonly string[];
  readonly log: LogConfig;
}

export type Scope = "infer" | "read" | "admin";

export interface ApiKey {
  readonly name: string;
  readonly secret: string;
  readonly scopes: readonly Scope[];
}

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

export interface LogConfig {
  /** Level per logger name; `default` is always there. */
  readonly levels: Readonly<Record<string, LogLevel>>;
  readonly format: "json" | "pretty";
  readonly access: "off" | "errors" | "all";
  /** Rotated by size, `keep` old files beside it. */
  readonly file:
    { readonly path: string; readonly sizeBytesMax: number; readonly keep: number } | undefined;
}

export interface ModelConfig {
  readonly name: string;
  readonly source: ModelSource;
  readonly sha256: string | undefined;
  readonly fallback: ModelSource | undefined;
  readonly runtime: "onnx";
  readonly labels: readonly string[] | undefined;
  /** Output that is "the prediction"; undefined lets the model decide (probabilities, else the first). */
  readonly output: string | undefined;
  readonly inputs: Readonly<Record<string, InputConfig>>;
  /** Rows as in a `/predict` body: nested arrays for one input, or input name → rows. */
  readonly sample: JsonValue | undefined;
  /** Threads of one run (intra-op), at least 1. */
  readonly threads: number;
  /** Copies of the model that run side by side; `auto` is as many as the cores carry. */
  readonly instances: number | "auto";
  readonly placement: Placement | "auto";
  readonly batch: BatchConfig;
  readonly slo: SloConfig | undefined;
  readonly serve: ServePolicy;
  readonly reload: ReloadPolicy;
  /** Is the process not ready while this model is not? */
  readonly isRequired: boolean;
}

/** A path may be a file or a folder of numbered versions, and may appear only after the start. */
export type ModelSource =
  { readonly kind: "path"; readonly path: string } | { readonly kind: "url"; readonly url: string };

export interface BatchConfig {
  /** Most rows of one run, at least 1; 1 runs every request alone. */
  readonly rowsMax: number;
  /** Longest time a request waits for company while the model is free; 0 never waits. */
  readonly delayMs: number;
  /** What happens to a request of more than `rowsMax` rows. */
  readonly oversize: "split" | "reject";
}

export interface SloConfig {
  /** Objective for 99 % of the answers, from arrival to reply. */
  readonly latencyP99Ms: number | undefined;
  /** Share of requests to answer, 0 to 1. */
  readonly availability: number | undefined;
}

export type ServePolicy =
  | { readonly kind: "latest" }
  | { readonly kind: "all" }
  | { readonly kind: "list"; readonly versions: readonly number[] };

export type ReloadPolicy =
  | { readonly kind: "off" }
  | { readonly kind: "watch" }
  | { readonly kind: "poll"; readonly everyMs: number };

export interface InputConfig {
  readonly names: readonly string[] | undefined;
  readonly unit: string | undefined;
  /** Inclusive bounds of plausible values; shown in metadata, not enforced. */
  readonly range: readonly [number, number] | undefined;
}

export interface ServiceConfig {
  readonly name: string;
  /** Also answers on /predict, /label, … */
  readonly isDefault: boolean;
  /** Model the service runs. */
  readonly model: string;
  readonly timeoutMs: number;
  readonly limits: LimitsConfig;
  readonly overload: OverloadConfig;
  /** The first that matches a request chooses its model; `to` is one. */
  readonly rules: readonly Rule[];
}

export interface LimitsConfig {
  /** Requests in work at a time; `auto` learns the number from latency, `off` has none. */
  readonly concurrency: number | "auto" | "off";
  /** Requests that wait for their turn; one more is refused. */
  readonly queue: number;
  /** Requests a second, over all processes; undefined has no limit. */
  readonly ratePerSecond: number | undefined;
}

/** What a request gets that the limits refuse. */
export type OverloadConfig =
  | { readonly kind: "reject" }
  /** This body, with status 200 and `x-degraded: fallback`. */
  | { readonly kind: "reply"; readonly reply: JsonValue }
  /** The answer of another model. */
  | { readonly kind: "fallback"; readonly model: string };
