import type { Redaction } from "../core/predictions/redaction.ts";
import type { Rule } from "../core/rules/rule-set.ts";
import type { JsonValue } from "../core/json.ts";
import type { Condition } from "../core/rules/condition.ts";
import type { ModelProgram, Placement } from "../ports/runtime.ts";
import type { RequestValue } from "./request-value.ts";
import type { ExperimentConfig } from "./experiment-config.ts";
import type { ShadowConfig } from "./shadow-config.ts";
import type { FunctionOptions, ImageOptions, RemoteOptions } from "../ports/step-sources.ts";

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
  /** Where caches keep what they have: in each process, or in Redis or Valkey. */
  readonly cacheStore:
    { readonly kind: "memory" } | { readonly kind: "redis"; readonly url: string };
  readonly log: PredictionLogConfig;
  /** Undefined sends no traces. */
  readonly traces: TracesConfig | undefined;
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
  /** Of the control role. */
  readonly controlPort: number | "off";
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
  readonly runtime: "onnx" | "process";
  /** What `runtime: process` starts; undefined for the others. */
  readonly program?: ModelProgram | undefined;
  readonly labels: readonly string[] | undefined;
  /** Output that is "the prediction"; undefined lets the model decide (probabilities, else the first). */
  readonly output: string | undefined;
  /** Element of a row of the prediction, or its label, that thresholds and `argmax` of a graph look at. */
  readonly score: number | string;
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
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "url"; readonly url: string }
  /** The model's program is all there is. */
  | { readonly kind: "program" };

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
  /** What it does with a request. */
  readonly graph: StepConfig;
  readonly timeoutMs: number;
  readonly limits: LimitsConfig;
  readonly overload: OverloadConfig;
  /** The first that matches a request chooses its model; `to` is one. */
  readonly rules: readonly Rule[];
  /** Asked where no rule matches. */
  readonly experiment: ExperimentConfig | undefined;
  /** In the order of the file, those that are excluded too. */
  readonly shadows: readonly ShadowConfig[];
  readonly reply: { readonly include: readonly ("mode" | "prediction_id")[] };
  readonly cache: CacheConfig;
  readonly parameters: ParametersConfig;
  readonly log: ServiceLogConfig;
}

/**
 * A step of a graph. `name` is unique among the steps beside it: its key in a parallel, else what the file calls it,
 * else what it runs or is.
 */
export type StepConfig =
  | ModelStepConfig
  | SequenceConfig
  | ParallelConfig
  | SwitchConfig
  | SoftmaxConfig
  | TopConfig
  | SourceStepConfig;

/** Where the step is written, for problems: `["services", "iris", "graph", "sequence", 1]`. */
interface StepPlace {
  readonly name: string;
  readonly at: readonly (string | number)[];
}

export interface ModelStepConfig extends StepPlace {
  readonly kind: "model";
  readonly model: string;
}

export interface SequenceConfig extends StepPlace {
  readonly kind: "sequence";
  readonly members: readonly SequenceMemberConfig[];
  /** Input → output, as `SequenceOptions.map`. */
  readonly map: Readonly<Record<string, string>>;
  /** `together`: all its models run the same version number, the highest that all of them have. */
  readonly versions: "latest" | "together";
}

export interface SequenceMemberConfig {
  readonly step: StepConfig;
  readonly onError: "fail" | "skip" | StepConfig;
}

export interface ParallelConfig extends StepPlace {
  readonly kind: "parallel";
  /** In the order of the file, each named after its branch. */
  readonly branches: readonly StepConfig[];
  readonly combine: "each" | "argmax" | "mean" | "vote" | { readonly path: string };
  readonly onError: "fail" | "omit";
  readonly timeoutMs: number | undefined;
}

export interface SwitchConfig extends StepPlace {
  readonly kind: "switch";
  readonly cases: readonly SwitchCaseConfig[];
  readonly default: StepConfig;
}

export interface SwitchCaseConfig {
  readonly name: string;
  readonly when: Condition;
  readonly to: StepConfig;
}

export interface SoftmaxConfig extends StepPlace {
  readonly kind: "softmax";
  readonly axis: number;
}

export interface TopConfig extends StepPlace {
  readonly kind: "top";
  readonly count: number;
}

/** A step whose work is done by an adapter. */
export type SourceStepConfig = StepPlace &
  (
    | { readonly kind: "image"; readonly image: ImageOptions }
    | { readonly kind: "function" | "load"; readonly function: FunctionOptions }
    | { readonly kind: "remote"; readonly remote: RemoteOptions }
  );

/** The prediction log of the whole; without a state folder there is none. */
export interface PredictionLogConfig {
  readonly sink: "parquet" | "off";
  /** Lines of text beside the sink; rotated by size, `keep` old files beside it. */
  readonly text:
    { readonly path: string; readonly sizeBytesMax: number; readonly keep: number } | undefined;
  readonly durability: LogDurability;
  readonly whenFull: "drop" | "wait" | "refuse";
  /** A segment ends after this time. */
  readonly rollMs: number;
  /** Disk space of segments. */
  readonly walBytesMax: number;
  /** Share of the disk that stays free, 0 to 1. */
  readonly diskFreeMin: number;
  readonly retention: {
    readonly rowsMs: number;
    readonly payloadMs: number;
    /** Nothing is deleted. */
    readonly isHeld: boolean;
  };
  /** By name of an input, a column or an attribute. */
  readonly redact: Readonly<Record<string, Redaction>>;
  /** Of keyed hashes; undefined makes one and keeps it. */
  readonly key: string | undefined;
  readonly feedbackWindowMs: number;
  readonly query: { readonly timeoutMs: number; readonly memoryBytesMax: number };
}

/** When what is written is forced to the disk. */
export type LogDurability =
  | { readonly kind: "off" }
  | { readonly kind: "interval"; readonly everyMs: number }
  | { readonly kind: "batch" };

export interface ServiceLogConfig {
  readonly payload: "full" | "metadata" | "off";
  /** Share of the predictions, 0 to 1. */
  readonly sample: number;
  /** Inputs and columns that may be logged; undefined allows all. */
  readonly fields: readonly string[] | undefined;
  /** Whom a prediction is for. */
  readonly unit: RequestValue | undefined;
  /** By the name they get. */
  readonly attributes: Readonly<Record<string, RequestValue>>;
  /** Its first element below `below` is an outlier's; undefined where outliers are not told. */
  readonly outlier: { readonly output: string; readonly below: number } | undefined;
}

export interface TracesConfig {
  readonly endpoint: string;
  /** Share of the requests without a trace context, 0 to 1. */
  readonly sample: number;
  readonly headers: Readonly<Record<string, string>>;
}

export interface CacheConfig {
  readonly prediction: PredictionCacheConfig | undefined;
  readonly data: DataCacheConfig | undefined;
}

export interface PredictionCacheConfig {
  readonly ttlMs: number;
  /** Bounds of the memory cache of each process; Redis keeps its own. */
  readonly entriesMax: number;
  readonly bytesMax: number;
  /** `parallel` looks and predicts at once, and takes what is there first. */
  readonly lookup: "before" | "parallel";
  /** Requests, rows as in a `/predict` body, that are predicted when the service starts. */
  readonly warmUp: readonly JsonValue[];
}

/** Of the load, image and function steps that a service's graph begins with. */
export interface DataCacheConfig {
  readonly ttlMs: number;
  readonly entriesMax: number;
  readonly bytesMax: number;
  /** Input of the graph whose value, row by row, is the key. */
  readonly key: string;
}

/** Switches of a service that change while it runs. */
export interface ParametersConfig {
  /** Does it predict at all? */
  readonly isActive: boolean;
  /** Branches of its parallels that are switched, by name. */
  readonly branches: Readonly<Record<string, boolean>>;
  readonly deactivated: "503" | "omit" | "observe" | { readonly fallback: string };
  /** By branch; undefined where the file sets none, so that scores are answered. */
  readonly thresholds: Readonly<Record<string, number>> | undefined;
  /** Of branches that have none of their own. */
  readonly thresholdDefault: number;
  /** Times a step that failed for a reason that may pass is tried again, within the deadline. */
  readonly retries: number;
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
  | { readonly kind: "fallback"; readonly model: string }
  /** What the prediction cache still has, however old. */
  | { readonly kind: "cached" };
