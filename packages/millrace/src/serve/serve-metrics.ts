import { monitorEventLoopDelay } from "node:perf_hooks";
import type { CacheCounters } from "../core/cache/cache-counters.ts";
import type { Counter, Histogram, CounterFamily, Metrics } from "../core/metrics/metrics.ts";
import type { BatchJournal } from "../core/batch/batch-journal.ts";
import type { Bucket } from "../core/batch/bucket.ts";
import type { BreakerKind } from "../core/overload/breaker.ts";
import type { ModelVersion } from "../models/model-version.ts";
import type { Models } from "../models/models.ts";
import type { ModelStatus } from "../models/served-model.ts";
import { FeedbackMetrics } from "./feedback/feedback-metrics.ts";
import { PredictionLogMetrics } from "./prediction-log/prediction-log-metrics.ts";
import { ShadowMetrics } from "./shadows/shadow-metrics.ts";

/** Seconds: from 100 µs, where small models answer, to 10 s. */
const SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Series of one service on one model version, looked up once and kept. */
export interface ServiceSeries {
  readonly ok: Counter;
  readonly duration: Histogram;
  readonly queue: Histogram;
  readonly compute: Histogram;
}

/** The serve role's metrics. Names are a promise: docs/reference/metrics.md lists them. */
export class ServeMetrics {
  readonly registry: Metrics;
  readonly predictionLog: PredictionLogMetrics;
  readonly feedback: FeedbackMetrics;
  readonly shadows: ShadowMetrics;
  readonly #requests: CounterFamily;
  readonly #rejected: CounterFamily;
  readonly #routed: CounterFamily;
  readonly #invalidAttributes: CounterFamily;
  readonly #steps;
  readonly #cacheRequests: CounterFamily;
  readonly #loadFailures: CounterFamily;
  readonly #loadSeconds;
  readonly #duration;
  readonly #queue;
  readonly #compute;
  readonly #rows;

  constructor(registry: Metrics, models: () => Models | undefined) {
    this.registry = registry;
    this.#requests = registry.counter(
      "inference_requests_total",
      "Predictions by outcome; code is ok or an error code",
      ["service", "model", "version", "role", "code"],
    );
    const labels = ["service", "model", "version"];
    const ofVersion = ["model", "version"];
    const seconds = (what: string, help: string, of: readonly string[]) =>
      registry.histogram(`inference_${what}_duration_seconds`, help, of, SECONDS);
    this.#duration = seconds("request", "From the parsed request to the outputs", labels);
    this.#queue = seconds("queue", "Waiting for the model", labels);
    this.#compute = seconds("compute", "Inside the model", labels);
    this.#rows = registry.histogram(
      "inference_batch_rows",
      "Rows of one run of the model",
      ofVersion,
      [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
    );
    this.#rejected = registry.counter(
      "inference_rejected_total",
      "Requests refused before the model ran, by reason",
      ["reason"],
    );
    this.#routed = registry.counter(
      "inference_routed_total",
      "Requests of services with rules, by the rule that matched first; default is none of them",
      ["service", "rule"],
    );
    this.#invalidAttributes = registry.counter(
      "inference_rule_invalid_attributes_total",
      "Attributes of requests that a rule could not read, such as a place that is none; its predicate is false",
      ["service"],
    );
    const ofStep = ["service", "step", "status"];
    this.#steps = seconds("step", "Steps of graphs, by how they ended", ofStep);
    this.#cacheRequests = registry.counter(
      "cache_requests_total",
      "Predictions, or rows of data, asked of a cache; error is one that could not be asked",
      ["service", "cache", "result"],
    );
    this.#loadFailures = registry.counter(
      "model_load_failures_total",
      "Model files that could not be loaded",
      ["model"],
    );
    this.#loadSeconds = registry.histogram(
      "model_load_seconds",
      "From reading a model file to the end of its warm-up",
      ["model"],
      [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    );
    this.predictionLog = new PredictionLogMetrics(registry);
    this.feedback = new FeedbackMetrics(registry);
    this.shadows = new ShadowMetrics(registry);
    addModelGauges(registry, models);
    addProcessGauges(registry);
  }

  series(service: string, model: string, version: number): ServiceSeries {
    const labels = [service, model, String(version)];
    return {
      ok: this.#requests.with(...labels, "primary", "ok"),
      duration: this.#duration.with(...labels),
      queue: this.#queue.with(...labels),
      compute: this.#compute.with(...labels),
    };
  }

  /** Rows of each run of a model version. */
  batchRows(model: string, version: number): Histogram {
    return this.#rows.with(model, String(version));
  }

  countError(service: string, model: string, version: string, code: string): void {
    this.#requests.with(service, model, version, "primary", code).add();
  }

  /** An answer of the model that stands in when a service is overloaded; the refusal is counted as well. */
  countFallback(service: string, model: string, version: number): void {
    this.#requests.with(service, model, String(version), "fallback", "ok").add();
  }

  /** A copy that a shadow got; it is none of the answers of the service. */
  countShadow(service: string, model: string, version: number, code: string): void {
    this.#requests.with(service, model, String(version), "shadow", code).add();
  }

  countRejection(reason: string): void {
    this.#rejected.with(reason).add();
  }

  /** @param rule its name, or "default". */
  countRouted(service: string, rule: string): void {
    this.#routed.with(service, rule).add();
  }

  countInvalidAttributes(service: string, count: number): void {
    this.#invalidAttributes.with(service).add(count);
  }

  /** @param step with the names of the steps around it: `branches.setosa`. */
  observeStep(service: string, step: string, status: string, tookMs: number): void {
    this.#steps.with(service, step, status).observe(tookMs / 1000);
  }

  cacheCounters(service: string, cache: "prediction" | "data"): CacheCounters {
    const of = (result: string): Counter => this.#cacheRequests.with(service, cache, result);
    return { hit: of("hit"), miss: of("miss"), stale: of("stale"), error: of("error") };
  }

  countLoad(model: string, tookMs: number): void {
    this.#loadSeconds.with(model).observe(tookMs / 1000);
  }

  countLoadFailure(model: string): void {
    this.#loadFailures.with(model).add();
  }
}

function addModelGauges(registry: Metrics, models: () => Models | undefined): void {
  const statuses = () => models()?.status() ?? [];
  registry.gauge("model_ready", "1 when the model answers", ["model"], () =>
    statuses().map((status) => [[status.name], status.isReady ? 1 : 0] as const),
  );
  registry.gauge(
    "model_fallback",
    "1 when the fallback serves instead of the source",
    ["model"],
    () =>
      statuses().map(
        (status) => [[status.name], status.fallbackReason === undefined ? 0 : 1] as const,
      ),
  );
  registry.gauge(
    "model_stale",
    "1 when the newest file could not be loaded and an older version serves",
    ["model"],
    () => statuses().map((status) => [[status.name], isStale(status) ? 1 : 0] as const),
  );
  const versions = () =>
    (models()?.names ?? []).flatMap((name) => models()?.model(name).versions ?? []);
  registry.gauge(
    "inference_inflight",
    "Requests accepted and not yet answered",
    ["model", "version"],
    () => versions().map((v) => [[v.modelName, String(v.version)], v.inFlight] as const),
  );
  registry.gauge("inference_queue_rows", "Rows waiting for the model", ["model", "version"], () =>
    versions().map((v) => [[v.modelName, String(v.version)], v.waiting] as const),
  );
  addBatchMetrics(registry, versions);
}

function addBatchMetrics(registry: Metrics, versions: () => ModelVersion[]): void {
  const ofVersion = ["model", "version"];
  const perVersion = (read: (version: ModelVersion) => number) => () =>
    versions().map((v) => [[v.modelName, String(v.version)], read(v)] as const);
  const perReason = (read: (journal: BatchJournal) => ReadonlyMap<string, number>) => () =>
    versions().flatMap((v) =>
      [...read(v.scheduled.batcher.journal)].map(
        ([reason, count]) => [[v.modelName, String(v.version), reason], count] as const,
      ),
    );
  registry.externalCounter(
    "batch_left_total",
    "Batches by why they left with the rows they had",
    [...ofVersion, "reason"],
    perReason((journal) => journal.leaveCounts),
  );
  registry.externalCounter(
    "batch_dropped_total",
    "Requests the scheduler did not predict, by reason",
    [...ofVersion, "reason"],
    perReason((journal) => journal.dropCounts),
  );
  registry.externalCounter(
    "batch_bisect_total",
    "Batches that failed and were run again in halves",
    ofVersion,
    perVersion((v) => v.scheduled.batcher.journal.bisectCount),
  );
  registry.gauge(
    "batch_rows_cap",
    "Most rows of a batch that are worth it, as learned",
    ofVersion,
    perVersion((v) => bucketOf(v)?.cap.rows ?? 1),
  );
  registry.gauge(
    "batch_predicted_row_seconds",
    "What a row adds to a run, as learned",
    ofVersion,
    perVersion((v) => (bucketOf(v)?.model.perRowMs ?? 0) / 1000),
  );
  registry.gauge(
    "batch_predicted_fixed_seconds",
    "What a run costs whatever its rows, as learned",
    ofVersion,
    perVersion((v) => (bucketOf(v)?.model.fixedMs ?? 0) / 1000),
  );
  registry.gauge(
    "inference_queue_bytes",
    "Memory of the requests that wait or run",
    ofVersion,
    perVersion((v) => v.scheduled.batcher.bytes),
  );
  registry.gauge(
    "breaker_state",
    "0 closed, 1 half open, 2 open",
    ofVersion,
    perVersion((v) => BREAKER_STATES.indexOf(v.breaker.state)),
  );
  registry.gauge(
    "executors_up",
    "Copies of the model that are ready",
    ofVersion,
    perVersion((v) => v.scheduled.batcher.executors.upCount),
  );
}

const BREAKER_STATES: readonly BreakerKind[] = ["closed", "halfOpen", "open"];

/** The bucket used last stands for all: most models have one shape. */
function bucketOf(version: ModelVersion): Bucket<unknown> | undefined {
  return version.scheduled.batcher.buckets.latest;
}

/** A fallback is another thing, with a gauge of its own. */
function isStale({ isReady, problem, fallbackReason }: ModelStatus): boolean {
  return isReady && problem !== undefined && fallbackReason === undefined;
}

function addProcessGauges(registry: Metrics): void {
  const lag = monitorEventLoopDelay({ resolution: 10 });
  lag.enable();
  registry.gauge(
    "event_loop_lag_seconds",
    "Delay of the event loop beyond its 10 ms tick since the last reading, by quantile",
    ["quantile"],
    () => {
      const beyondTick = (ns: number) => Math.max(0, ns / 1e9 - 0.01);
      const values = [
        [["0.5"], beyondTick(lag.percentile(50))],
        [["0.99"], beyondTick(lag.percentile(99))],
        [["1"], beyondTick(lag.max)],
      ] as const;
      lag.reset();
      return values;
    },
  );
  const startedSeconds = Date.now() / 1000 - process.uptime();
  registry.gauge("process_start_time_seconds", "Start of the process, Unix time", [], () => [
    [[], startedSeconds],
  ]);
  registry.gauge("process_resident_memory_bytes", "Resident memory", [], () => [
    [[], process.memoryUsage.rss()],
  ]);
  registry.externalCounter("process_cpu_seconds_total", "CPU time, user and system", [], () => {
    const { user, system } = process.cpuUsage();
    return [[[], (user + system) / 1e6]];
  });
  registry.gauge("nodejs_heap_used_bytes", "JavaScript heap in use", [], () => [
    [[], process.memoryUsage().heapUsed],
  ]);
}
