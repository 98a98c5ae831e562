import type { ServiceConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { MillraceError } from "../core/errors.ts";
import { PredictionIds, type RandomBytes } from "../core/prediction-id.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import type { Models } from "../models/models.ts";
import type { ModelVersion } from "../models/model-version.ts";
import type { ServeMetrics, ServiceSeries } from "./serve-metrics.ts";

/** Where a request goes: a service and the model version that answers for it. */
export interface Target {
  readonly service: ServiceConfig;
  readonly version: ModelVersion;
}

export type Priority = 1 | 2 | 3;
export const PRIORITY_DEFAULT: Priority = 2;

/** What a request brings along besides its tensors, whichever protocol it came by. */
export interface Call {
  /** UUIDv7, from `newPredictionId`: known before the prediction is made, so that a failure has it too. */
  readonly predictionId: string;
  /** When the request came, on `clock.nowMs`. */
  readonly receivedMs: number;
  /** 1 is the most urgent, 2 the default, 3 what may wait. */
  readonly priority: Priority;
  /** Time the client allows; undefined leaves it to the service. */
  readonly timeoutMs: number | undefined;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal | undefined;
}

export interface Prediction {
  /** UUIDv7. */
  readonly id: string;
  readonly version: ModelVersion;
  /** One per requested output, in that order. */
  readonly outputs: readonly Tensor[];
  /** Waited until its batch left. */
  readonly queueMs: number;
  /** Batch put together, handed over and taken apart. */
  readonly batchMs: number;
  /** The model itself. */
  readonly computeMs: number;
}

export interface DataPlaneOptions {
  readonly models: Models;
  readonly metrics: ServeMetrics;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

/**
 * The one place where all protocols meet: names become model versions, deadlines are set, predictions are
 * run, counted and given an id. It knows nothing of HTTP.
 */
export class DataPlane {
  readonly models: Models;
  readonly metrics: ServeMetrics;
  readonly clock: Clock;
  readonly #ids: PredictionIds;
  #services: ReadonlyMap<string, ServiceConfig> = new Map();
  #defaultService: ServiceConfig | undefined;
  /** Metric series by service, then version; weak, so that a released version is forgotten. */
  readonly #series = new Map<string, WeakMap<ModelVersion, ServiceSeries>>();

  constructor(options: DataPlaneOptions) {
    this.models = options.models;
    this.metrics = options.metrics;
    this.clock = options.clock;
    this.#ids = new PredictionIds(options.random);
  }

  /** Replaces the services in one step; the models they name must be there. */
  setServices(services: Readonly<Record<string, ServiceConfig>>): void {
    this.#services = new Map(Object.entries(services));
    this.#defaultService = this.services.find((service) => service.isDefault);
    for (const name of this.#series.keys())
      if (!this.#services.has(name)) this.#series.delete(name);
  }

  get services(): ServiceConfig[] {
    return [...this.#services.values()];
  }

  get defaultService(): ServiceConfig | undefined {
    return this.#defaultService;
  }

  /** @throws MODEL_NOT_FOUND */
  service(name: string): ServiceConfig {
    const service = this.#services.get(name);
    if (service !== undefined) return service;
    const names = [...this.#services.keys()].map((known) => `'${known}'`).join(", ");
    throw new MillraceError(
      "MODEL_NOT_FOUND",
      `Request for unknown model: '${name}' is not found, there is ${names === "" ? "none" : names}`,
    );
  }

  newPredictionId(): string {
    return this.#ids.next(this.clock.wallMs());
  }

  /**
   * @param version number as asked for; undefined takes the latest.
   * @throws MODEL_NOT_FOUND, MODEL_NOT_READY.
   */
  target(service: ServiceConfig, version?: number): Target {
    try {
      return { service, version: this.models.version(service.model, version) };
    } catch (error) {
      this.#countError(service, version, error);
      throw error;
    }
  }

  /**
   * Predicts.
   * @param inputs one per input of the version, checked against it.
   * @throws OVERLOADED, DEADLINE_EXCEEDED, CANCELLED, MODEL_FAILED.
   */
  async infer(
    target: Target,
    inputs: readonly Tensor[],
    outputNames: readonly string[],
    call: Call,
  ): Promise<Prediction> {
    const { service, version } = target;
    const timeoutMs = Math.min(service.timeoutMs, call.timeoutMs ?? Infinity);
    const limits = { deadlineAtMs: call.receivedMs + timeoutMs, signal: call.signal };
    const startedMs = this.clock.nowMs();
    try {
      const { outputs, queueMs, computeMs } = await version.run(inputs, outputNames, limits);
      const series = this.#seriesOf(service, version);
      series.ok.add();
      series.duration.observe((this.clock.nowMs() - startedMs) / 1000);
      series.queue.observe(queueMs / 1000);
      series.compute.observe(computeMs / 1000);
      series.rows.observe(version.rowsOf(inputs));
      return { id: call.predictionId, version, outputs, queueMs, batchMs: 0, computeMs };
    } catch (error) {
      this.#countError(service, version.version, error);
      throw error;
    }
  }

  #seriesOf(service: ServiceConfig, version: ModelVersion): ServiceSeries {
    let byVersion = this.#series.get(service.name);
    if (byVersion === undefined) {
      byVersion = new WeakMap();
      this.#series.set(service.name, byVersion);
    }
    let series = byVersion.get(version);
    if (series === undefined) {
      series = this.metrics.series(service.name, version.modelName, version.version);
      byVersion.set(version, series);
    }
    return series;
  }

  #countError(service: ServiceConfig, version: number | undefined, error: unknown): void {
    const code = error instanceof MillraceError ? error.code : "INTERNAL";
    // A number a client made up must not become a label.
    const label = code === "MODEL_NOT_FOUND" || version === undefined ? "" : String(version);
    this.metrics.countError(service.name, service.model, label, code);
    if (error instanceof MillraceError && error.reason !== undefined) {
      this.metrics.countRejection(error.reason);
    }
  }
}
