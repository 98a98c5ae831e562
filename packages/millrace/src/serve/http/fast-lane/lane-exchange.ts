import type { Cancellation } from "../../../core/cancellation.ts";
import type { Prediction } from "../../data-plane.ts";
import type { Exchange, HeaderName } from "../exchange.ts";
import type { HotPath } from "./hot-paths.ts";
import { headerValue, type HeaderValues } from "./recognise-head.ts";

/** A request of the fast lane whose head has been read. */
export interface LaneRequest {
  readonly path: HotPath;
  readonly values: HeaderValues;
  readonly requestId: string;
  readonly receivedMs: number;
}

/** A request of the fast lane, as handlers of hot routes take it. */
export class LaneExchange implements Exchange {
  readonly path: HotPath;
  readonly requestId: string;
  readonly receivedMs: number;
  readonly body: Uint8Array;
  readonly bodyBytesMax: number;
  readonly cancellation: Cancellation;
  predictionId: string | undefined = undefined;
  prediction: Prediction | undefined = undefined;
  readonly #values: HeaderValues;

  constructor(
    request: LaneRequest,
    body: Uint8Array,
    bodyBytesMax: number,
    cancellation: Cancellation,
  ) {
    this.path = request.path;
    this.#values = request.values;
    this.requestId = request.requestId;
    this.receivedMs = request.receivedMs;
    this.body = body;
    this.bodyBytesMax = bodyBytesMax;
    this.cancellation = cancellation;
  }

  get service(): string | undefined {
    return this.path.service;
  }

  get version(): string | undefined {
    return this.path.version;
  }

  header(name: HeaderName): string | undefined {
    return headerValue(this.#values, name);
  }
}
