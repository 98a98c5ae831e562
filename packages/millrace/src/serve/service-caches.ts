import type { PredictionCacheConfig, ServiceConfig } from "../config/config.ts";
import type { Sha256 } from "../core/cache/key-writer.ts";
import { PredictionKeys } from "../core/cache/prediction-keys.ts";
import type { Clock } from "../core/clock.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import type { Predictor } from "../models/predictor.ts";
import type { TensorCache, TensorCaches } from "../ports/tensor-cache.ts";
import type { Prediction } from "./prediction.ts";
import type { NamedUsage } from "./cache-gauges.ts";
import { PredictionCache } from "./prediction-cache.ts";
import type { ServeMetrics } from "./serve-metrics.ts";

/** What has expired is kept this many times as long where it may answer an overload. */
const STALE_FACTOR = 10;

export interface ServiceCachesOptions {
  readonly caches: TensorCaches;
  readonly clock: Clock;
  readonly sha256: Sha256;
  readonly metrics: ServeMetrics;
}

/** The prediction cache of one service. Each thing that answers has keys of its own, so that versions never mix. */
export class ServiceCache extends PredictionCache<Prediction> {
  readonly #keys = new WeakMap<Predictor, PredictionKeys>();
  readonly #sha256: Sha256;

  constructor(
    options: ConstructorParameters<typeof PredictionCache<Prediction>>[0],
    sha256: Sha256,
  ) {
    super(options);
    this.#sha256 = sha256;
  }

  keyOf(predictor: Predictor, inputs: readonly Tensor[], outputNames: readonly string[]): string {
    let keys = this.#keys.get(predictor);
    if (keys === undefined) {
      const { modelName, version, digest } = predictor;
      keys = new PredictionKeys([modelName, String(version), digest], this.#sha256);
      this.#keys.set(predictor, keys);
    }
    return keys.keyOf(inputs, outputNames);
  }
}

interface Entry {
  readonly config: PredictionCacheConfig;
  readonly keepMs: number;
  readonly store: TensorCache;
  readonly cache: ServiceCache;
}

/** The prediction caches of all services that have one. */
export class ServiceCaches {
  readonly #options: ServiceCachesOptions;
  #entries: ReadonlyMap<string, Entry> = new Map();

  constructor(options: ServiceCachesOptions) {
    this.#options = options;
  }

  /** Caches of services that stay keep what they have. */
  set(services: readonly ServiceConfig[]): void {
    const next = new Map<string, Entry>();
    for (const service of services) {
      const config = service.cache.prediction;
      if (config !== undefined) next.set(service.name, this.#entryOf(service, config));
    }
    for (const [name, { store }] of this.#entries) if (!next.has(name)) void store.close();
    this.#entries = next;
  }

  #entryOf({ name, overload }: ServiceConfig, config: PredictionCacheConfig): Entry {
    const { caches, clock, sha256, metrics } = this.#options;
    const known = this.#entries.get(name);
    const keepMs = overload.kind === "cached" ? config.ttlMs * STALE_FACTOR : config.ttlMs;
    const isSame = known?.config.ttlMs === config.ttlMs && known.config.lookup === config.lookup;
    if (known !== undefined) known.store.setBounds(config);
    if (known !== undefined && isSame && known.keepMs === keepMs) return { ...known, config };
    const store = known?.store ?? caches.open(config);
    const { ttlMs, lookup } = config;
    const counters = metrics.cacheCounters(name, "prediction");
    const isStorable = (prediction: Prediction): boolean => prediction.degraded === undefined;
    const madeBy = ({ model }: Prediction): string => model;
    const options = { madeBy, cache: store, clock, ttlMs, keepMs, lookup, isStorable, counters };
    return { config, keepMs, store, cache: new ServiceCache(options, sha256) };
  }

  /** Undefined for a service without one. */
  predictionCacheOf(service: string): ServiceCache | undefined {
    return this.#entries.get(service)?.cache;
  }

  /** What the caches of this process hold, by service. */
  usage(): NamedUsage[] {
    return [...this.#entries].flatMap(([service, { store }]) => {
      const usage = store.usage();
      return usage === undefined ? [] : [{ service, cache: "prediction" as const, ...usage }];
    });
  }

  async close(): Promise<void> {
    const entries = this.#entries;
    this.#entries = new Map();
    await Promise.all([...entries.values()].map(({ store }) => store.close()));
  }
}
