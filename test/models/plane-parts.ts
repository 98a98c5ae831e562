import { hash, randomBytes } from "node:crypto";
import { MemoryTensorCaches } from "../../packages/millrace/src/adapters/cache-memory/memory-tensor-caches.ts";
import type { Config, ServiceConfig } from "../../packages/millrace/src/config/config.ts";
import type { Clock } from "../../packages/millrace/src/core/clock.ts";
import { Metrics } from "../../packages/millrace/src/core/metrics/metrics.ts";
import { ServiceGraphs } from "../../packages/millrace/src/graphs/service-graphs.ts";
import type { Models } from "../../packages/millrace/src/models/models.ts";
import type { OpenComparator } from "../../packages/millrace/src/ports/comparator-source.ts";
import type { StepSources } from "../../packages/millrace/src/ports/step-sources.ts";
import type { TensorCaches } from "../../packages/millrace/src/ports/tensor-cache.ts";
import { DataPlane } from "../../packages/millrace/src/serve/data-plane.ts";
import {
  openExperiments,
  TestStickyStore,
} from "../../packages/millrace/src/serve/experiments/test-experiment.ts";
import type { PredictionLog } from "../../packages/millrace/src/serve/prediction-log.ts";
import { ServeMetrics } from "../../packages/millrace/src/serve/serve-metrics.ts";
import { ServiceCaches } from "../../packages/millrace/src/serve/service-caches.ts";

/** No step is made from anything but models. */
export const NO_SOURCES: StepSources = {
  image: () => Promise.reject(new Error("no images here")),
  function: () => Promise.reject(new Error("no functions here")),
  load: () => Promise.reject(new Error("no data here")),
  remote: () => Promise.reject(new Error("no servers here")),
  combine: () => Promise.reject(new Error("no combiners here")),
};

export interface PlaneOptions {
  readonly models: Models;
  readonly clock: Clock;
  readonly registry?: Metrics;
  readonly sources?: StepSources;
  /** By default in memory. */
  readonly caches?: TensorCaches;
  /** Processes among which limits are divided. */
  readonly processes?: number;
  /** Opens comparisons of shadows; by default nothing does. */
  readonly openComparator?: OpenComparator;
  /** Hears of graphs, of what is degraded and of shadows. */
  readonly record?: (event: string) => void;
  /** Opens the prediction log; by default there is none. */
  readonly openLog?: (metrics: ServeMetrics, clock: Clock) => PredictionLog;
}

const sha256 = (bytes: Uint8Array): string => hash("sha256", bytes, "hex");

/** A data plane over models that are loaded, with everything the serve role gives it. */
export function createPlane(options: PlaneOptions): DataPlane {
  const { models, clock, registry = new Metrics(), sources = NO_SOURCES, processes = 1 } = options;
  const record = options.record ?? (() => undefined);
  const metrics = new ServeMetrics(registry, () => models);
  const caches = options.caches ?? new MemoryTensorCaches(clock);
  const graphs = new ServiceGraphs({
    models,
    sources,
    clock,
    random: () => 0, // a retry at once
    sha256,
    caches,
    cacheCounters: (service) => metrics.cacheCounters(service, "data"),
    events: {
      built: (service, graph) => record(`built ${service} of ${graph.id}`),
      refused: (service, reason, isServing) =>
        record(`refused ${service}${isServing ? ", which serves" : ""}: ${reason}`),
      invalidAttributes: (service, count) => record(`invalid ${service} ${count}`),
    },
  });
  return new DataPlane({
    models,
    graphs,
    caches: new ServiceCaches({ caches, clock, sha256, metrics }),
    experiments: openExperiments(new TestStickyStore(), registry).experiments,
    metrics,
    clock,
    random: randomBytes,
    log: options.openLog?.(metrics, clock),
    share: { index: 0, processes },
    events: {
      degraded: (service, _request, { step, kind, code }) =>
        record(`degraded ${service} ${step} ${kind} ${code}`),
    },
    shadows: {
      random: () => 0.5,
      openComparator: options.openComparator,
      events: {
        unfit: (service, shadow, model) => record(`unfit ${service} ${shadow} ${model}`),
        failed: (service, shadow, error) => record(`failed ${service} ${shadow} ${String(error)}`),
        breakerMoved: (service, shadow, from, to) =>
          record(`breaker ${service} ${shadow} ${from} → ${to}`),
      },
    },
  });
}

/** As the role does it. */
export async function setServices(
  plane: DataPlane,
  services: readonly ServiceConfig[],
): Promise<void> {
  const change = await plane.graphs.prepare(services);
  (await plane.experiments.prepare(services)).commit();
  plane.setServices(Object.fromEntries(services.map((each) => [each.name, each])));
  change.commit();
}

const NO_LIMITS: ServiceConfig["limits"] = {
  concurrency: "off",
  queue: 1000,
  ratePerSecond: undefined,
};

export function modelStep(model: string, name = model): ServiceConfig["graph"] {
  return { kind: "model", name, at: [], model };
}

/** A service as the schema would give it, without limits. */
export function serviceConfig(
  overrides: Partial<ServiceConfig> & Pick<ServiceConfig, "graph">,
): ServiceConfig {
  return {
    name: "s",
    isDefault: true,
    timeoutMs: 2_000,
    limits: NO_LIMITS,
    overload: { kind: "reject" },
    rules: [],
    experiment: undefined,
    shadows: [],
    reply: { include: [] },
    cache: { prediction: undefined, data: undefined },
    log: {
      payload: "full",
      sample: 1,
      fields: undefined,
      unit: undefined,
      attributes: {},
      outlier: undefined,
    },
    ...overrides,
    parameters: {
      isActive: true,
      branches: {},
      deactivated: "503",
      thresholds: undefined,
      thresholdDefault: 0.95,
      retries: 0,
      ...overrides.parameters,
    },
  };
}

/** The prediction log as the schema would give it. */
export const LOG: Config["log"] = {
  sink: "off",
  text: undefined,
  durability: { kind: "off" },
  whenFull: "drop",
  rollMs: 300_000,
  walBytesMax: 5 * 1024 ** 3,
  diskFreeMin: 0.1,
  retention: { rowsMs: 30 * 86_400_000, payloadMs: 7 * 86_400_000, isHeld: false },
  redact: {},
  key: undefined,
  feedbackWindowMs: 14 * 86_400_000,
  query: { timeoutMs: 30_000, memoryBytesMax: 1024 ** 3 },
};
