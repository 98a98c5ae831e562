import type { Cancellation } from "../../../core/cancellation.ts";
import type { Prediction } from "../../prediction.ts";
import type { RequestTrace } from "../../request-trace.ts";
import type { Exchange, HeaderName } from "../exchange.ts";
import type { HotPath } from "./hot-paths.ts";
import { headerValue, type HeaderValues } from "./recognise-head.ts";

/** A request of the fast lane whose head has been read. */
export interface LaneRequest {
  readonly path: HotPath;
  readonly values: HeaderValues;
  readonly requestId: string;
  readonly receivedMs: number;
  /** Name of the API key that was shown. */
  readonly caller: string | undefined;
  /** The head as text, where a rule may ask for more than `values`; undefined else. */
  readonly head: string | undefined;
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
  rule: string | undefined = undefined;
  variant: string | undefined = undefined;
  trace: RequestTrace | undefined = undefined;
  readonly method = "POST";
  readonly caller: string | undefined;
  readonly #values: HeaderValues;
  readonly #head: string | undefined;

  constructor(
    request: LaneRequest,
    body: Uint8Array,
    bodyBytesMax: number,
    cancellation: Cancellation,
  ) {
    this.path = request.path;
    this.#values = request.values;
    this.#head = request.head;
    this.caller = request.caller;
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

  get pathText(): string {
    return this.path.text;
  }

  header(name: HeaderName): string | undefined {
    return headerValue(this.#values, name);
  }

  anyHeader(name: string): string | undefined {
    return this.#head === undefined ? undefined : headerIn(this.#head, name);
  }

  /** Paths with a query do not come by the lane. */
  query(): undefined {
    return undefined;
  }
}

/** The lane takes heads in one form only, so that a search for the line is enough. @param name in lower case. */
function headerIn(head: string, name: string): string | undefined {
  for (let at = head.indexOf("\r\n") + 2; at > 1; at = head.indexOf("\r\n", at) + 2) {
    const isName =
      head.charCodeAt(at + name.length) === COLON &&
      head.slice(at, at + name.length).toLowerCase() === name;
    if (isName) return head.slice(at + name.length + 1, head.indexOf("\r\n", at)).trim();
  }
  return undefined;
}

const COLON = 0x3a;
