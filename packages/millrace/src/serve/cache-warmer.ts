import { packRows } from "../core/tensor/pack-rows.ts";
import type { JsonValue } from "../core/json.ts";
import type { Logger } from "../ports/logger.ts";
import type { DataPlane } from "./data-plane.ts";
import { WARM_UP, type Prediction } from "./prediction.ts";
import { warmCache } from "./warm-cache.ts";

/** Who asks for something else goes first. */
const PRIORITY = 3;

/** Fills the prediction caches with what the file lists, whenever something new answers for a service. */
export class CacheWarmer {
  readonly #plane: DataPlane;
  readonly #log: Logger;
  /** Digest of what the cache was filled from, by service. */
  readonly #warmed = new Map<string, string>();
  #end = new AbortController();

  constructor(plane: DataPlane, log: Logger) {
    this.#plane = plane;
    this.#log = log;
  }

  /** Starts what is to be done; callers need not wait. */
  refresh(): void {
    const { services } = this.#plane;
    for (const service of services.all) {
      const requests = service.cache.prediction?.warmUp ?? [];
      const digest = this.#plane.predictorsOf(service).at(-1)?.digest;
      const { name } = service;
      if (requests.length === 0 || digest === undefined) continue;
      if (this.#warmed.get(name) === digest) continue;
      this.#warmed.set(name, digest);
      const predict = (rows: JsonValue): Promise<Prediction> => this.#predict(name, rows);
      const options = { service: name, requests, predict, signal: this.#end.signal };
      void warmCache({ ...options, log: this.#log });
    }
    for (const name of this.#warmed.keys()) {
      if (services.find(name) === undefined) this.#warmed.delete(name);
    }
  }

  async #predict(service: string, rows: JsonValue): Promise<Prediction> {
    const plane = this.#plane;
    const target = plane.target(plane.services.get(service));
    const { predictor } = target;
    return plane.infer(target, packRows(rows, predictor.inputs), predictor.predictionNames, {
      predictionId: plane.newPredictionId(),
      endpoint: WARM_UP,
      requestId: undefined,
      attributes: undefined,
      receivedMs: plane.clock.nowMs(),
      priority: PRIORITY,
      timeoutMs: undefined,
      cancellation: undefined,
    });
  }

  stop(): void {
    this.#end.abort();
  }
}
