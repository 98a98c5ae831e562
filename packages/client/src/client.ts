import { MillraceClientError } from "./client-error.ts";
import { systemClock } from "./clock.ts";
import type { Clock } from "./clock.ts";
import { feedbackMembers } from "./feedback.ts";
import type { Feedback, FeedbackOptions } from "./feedback.ts";
import { decodeInfer, encodeInfer } from "./infer-message.ts";
import type { InferReply, InferRequest } from "./infer-message.ts";
import { isJsonObject, readJson, writeJson } from "./json.ts";
import type { JsonInput, JsonValue } from "./json.ts";
import { readFacts } from "./reply-facts.ts";
import type { ReplyFacts } from "./reply-facts.ts";
import { RetryPolicy } from "./retry-policy.ts";
import type { RetryOptions } from "./retry-policy.ts";
import type { Datatype } from "./tensor.ts";
import { Transport } from "./transport.ts";
import type { CallOptions, HttpReply, HttpRequest } from "./transport.ts";

export interface MillraceClientOptions {
  /** Address of the serve role, with a path prefix or not: `http://127.0.0.1:8000`. */
  readonly url: string;
  /** Secret of an API key, sent as `Authorization: Bearer`. Default: none. */
  readonly key?: string;
  /** Longest time for one call, retries included, in milliseconds, up to a day. Default 30000; the server's own limit may be shorter. */
  readonly timeoutMs?: number;
  readonly retries?: RetryOptions;
  /** Default: the platform's. */
  readonly fetch?: typeof fetch;
  /** 0 ≤ number < 1, spreads retries. Default `Math.random`. */
  readonly random?: () => number;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/**
 * Rows for a service with one input, or rows by input name. A row may be a typed array. For a service with an image
 * step a picture as it is: a `Blob` with its type, `image/jpeg`, `image/png` or `image/webp`. Any other object is sent
 * as it stands: `{ id: "0000" }`, `{ image_data: base64 }`.
 */
export type PredictInput =
  | readonly JsonInput[]
  | { readonly inputs: { readonly [name: string]: JsonInput } }
  | Blob
  | { readonly [input: string]: JsonInput };

export interface PredictOptions extends CallOptions {
  /** Asks for the label instead of the numbers: `"setosa"`, several rows give several. Default false. */
  readonly label?: boolean;
}

export interface Prediction<P> extends Omit<ReplyFacts, "predictionId"> {
  /** One row in gives that row's output, several rows give several. Whole numbers beyond ±2^53 are bigint. */
  readonly prediction: P;
  /** The prediction's id, a UUIDv7: for feedback and `millrace explain`. */
  readonly id: string | undefined;
}

export type InferResult = Omit<ReplyFacts, keyof InferReply> & InferReply;

/** What a model takes or gives; −1 stands for an extent that may vary. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

export interface ModelMetadata {
  readonly name: string;
  readonly versions?: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** Whether every required model is ready, and if not, why. */
export type Health =
  { readonly health: "ok" } | { readonly health: "ng"; readonly reason: JsonValue };

/**
 * Talks to a Millrace server, or with `infer`, `metadata`, `ready` and `live` to any Open Inference Protocol server.
 * Holds nothing that must be closed. Every method rejects with a MillraceClientError, or with the reason of the
 * caller's own signal.
 *
 * @example
 * const client = new MillraceClient({ url, timeoutMs: 2000 });
 * const { prediction, id } = await client.predict("iris", [[5.1, 3.5, 1.4, 0.2]]);
 * if (id !== undefined) await client.feedback("iris", { predictionId: id, label: "setosa" });
 * const { outputs } = await client.infer("iris", {
 *   inputs: [{ name: "float_input", shape: [1, 4], data: Float32Array.of(5.1, 3.5, 1.4, 0.2) }],
 * });
 */
export class MillraceClient {
  readonly #transport: Transport;

  /** @throws TypeError when `url` is not an absolute URL. */
  constructor(options: MillraceClientOptions) {
    this.#transport = new Transport({
      baseUrl: new URL(options.url).href.replace(/\/+$/, ""),
      key: options.key,
      timeoutMs: options.timeoutMs ?? 30_000,
      // Called as a method of the options, the browser's fetch would refuse its receiver.
      fetch: options.fetch ?? ((input, init) => fetch(input, init)),
      clock: options.clock ?? systemClock,
      retries: new RetryPolicy(options.retries ?? {}, options.random ?? Math.random),
    });
  }

  /**
   * Asks a service in its own terms.
   * @param service undefined for the default service.
   * @returns the prediction as JSON; `P` is the caller's claim about it and is not checked. With `label` it is the label.
   */
  async predict<P = JsonValue>(
    service: string | undefined,
    input: PredictInput,
    { label = false, ...call }: PredictOptions = {},
  ): Promise<Prediction<P>> {
    const request: HttpRequest = {
      method: "POST",
      path: `${servicePath(service)}/predict${label ? "/label" : ""}`,
      ...(await predictBody(input)),
    };
    const reply = await this.#transport.send(request, call);
    const body = understand(request, reply, () => readObject(reply));
    if (!("prediction" in body)) {
      throw invalidReply(request, reply, `status ${reply.status} without a "prediction"`);
    }
    const { predictionId, ...facts } = readFacts(reply.headers);
    return { ...facts, id: predictionId, prediction: body["prediction"] as P };
  }

  /**
   * Says what became known of a prediction. Sent again, by a retry or by you, it is counted once.
   * @param service undefined for the default service.
   * @param feedback one, or a list of at most 1000.
   * @returns its id, or theirs in order, when it is written.
   */
  feedback(
    service: string | undefined,
    feedback: Feedback,
    options?: FeedbackOptions,
  ): Promise<string>;
  feedback(
    service: string | undefined,
    feedback: readonly Feedback[],
    options?: FeedbackOptions,
  ): Promise<readonly string[]>;
  async feedback(
    service: string | undefined,
    feedback: Feedback | readonly Feedback[],
    { idempotencyKey, ...call }: FeedbackOptions = {},
  ): Promise<string | readonly string[]> {
    const isList = isFeedbackList(feedback);
    const headers = new Headers({ "content-type": "application/json" });
    if (idempotencyKey !== undefined) headers.set("idempotency-key", idempotencyKey);
    const body = writeJson(isList ? feedback.map(feedbackMembers) : feedbackMembers(feedback));
    const path = `${servicePath(service)}/feedback`;
    const request: HttpRequest = { method: "POST", path, headers, body };
    const reply = await this.#transport.send(request, call);
    const name = isList ? "feedback_ids" : "feedback_id";
    const ids = understand(request, reply, () => readObject(reply))[name];
    if (ids === undefined) {
      throw invalidReply(request, reply, `status ${reply.status} without "${name}"`);
    }
    return ids as string | readonly string[]; // as the server says; not checked
  }

  /**
   * Runs a model, or a service, over the Open Inference Protocol V2. Typed arrays travel as bytes, every value
   * exact. With `encoding: "json"`, and in plain arrays always, NaN and ±Infinity in an input are refused and come
   * back as NaN, since JSON has no form for them; FP16 and BF16 are refused.
   * @throws INVALID_TENSOR, before anything is sent, when an input is wrong.
   */
  async infer(model: string, request: InferRequest, options?: CallOptions): Promise<InferResult> {
    const version = request.version === undefined ? "" : `/versions/${request.version}`;
    const http: HttpRequest = {
      method: "POST",
      path: `${modelPath(model)}${version}/infer`,
      ...encodeInfer(request),
    };
    const reply = await this.#transport.send(http, options);
    const result = understand(http, reply, () => decodeInfer(reply));
    return { ...readFacts(reply.headers), ...result };
  }

  /** The model's inputs and outputs: names, datatypes, shapes. */
  async metadata(model: string, options?: CallOptions): Promise<ModelMetadata> {
    const body = await this.#get(modelPath(model), options);
    return body as unknown as ModelMetadata; // as the protocol says; not checked
  }

  /** Names of the models the server has. Millrace and KServe only. */
  async models(options?: CallOptions): Promise<readonly string[]> {
    const { models } = await this.#get("/v2/models", options);
    return models as readonly string[]; // as the protocol says; not checked
  }

  /** Can the server take predictions now? Never retried. @throws CONNECTION_FAILED when nobody answers. */
  async ready(options?: CallOptions): Promise<boolean> {
    return (await this.#probe("/v2/health/ready", options)).status === 200;
  }

  /** Does the server run? Never retried. @throws CONNECTION_FAILED when nobody answers. */
  async live(options?: CallOptions): Promise<boolean> {
    return (await this.#probe("/v2/health/live", options)).status === 200;
  }

  /** Like `ready`, with the reason. Millrace only; never retried. */
  async health(options?: CallOptions): Promise<Health> {
    const reply = await this.#probe("/health", options);
    const body = understand({ method: "GET", path: "/health" }, reply, () => readObject(reply));
    if (body["health"] === "ok") return { health: "ok" };
    return { health: "ng", reason: body["reason"] ?? null };
  }

  #probe(path: string, options: CallOptions | undefined): Promise<HttpReply> {
    // 503 is the protocol's "no"; Triton and MLServer say it with 400, an older specification with 500.
    return this.#transport.send({ method: "GET", path, answers: [400, 500, 503] }, options);
  }

  async #get(path: string, options: CallOptions | undefined): Promise<JsonObject> {
    const request: HttpRequest = { method: "GET", path };
    const reply = await this.#transport.send(request, options);
    return understand(request, reply, () => readObject(reply));
  }
}

async function predictBody(
  input: PredictInput,
): Promise<Required<Pick<HttpRequest, "headers" | "body">>> {
  if (input instanceof Blob) {
    const headers = new Headers({ "content-type": input.type });
    return { headers, body: new Uint8Array(await input.arrayBuffer()) };
  }
  const isRows = Array.isArray(input) || ArrayBuffer.isView(input);
  const body = isRows ? { data: input as readonly JsonInput[] } : (input as JsonMembers);
  return { headers: new Headers({ "content-type": "application/json" }), body: writeJson(body) };
}

type JsonMembers = { readonly [input: string]: JsonInput };

type JsonObject = { readonly [member: string]: JsonValue };

function servicePath(service: string | undefined): string {
  return service === undefined ? "" : `/services/${encodeURIComponent(service)}`;
}

/** `Array.isArray` says nothing of lists that are readonly. */
function isFeedbackList(feedback: Feedback | readonly Feedback[]): feedback is readonly Feedback[] {
  return Array.isArray(feedback);
}

function modelPath(model: string): string {
  return `/v2/models/${encodeURIComponent(model)}`;
}

function readObject(reply: HttpReply): JsonObject {
  const value = readJson(new TextDecoder().decode(reply.body));
  if (!isJsonObject(value)) throw new RangeError("it is not an object");
  return value;
}

/** Runs `read` and reports whatever it finds wrong as INVALID_REPLY. */
function understand<T>(request: HttpRequest, reply: HttpReply, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const state = cause instanceof Error ? cause.message : "it is unreadable";
    throw invalidReply(request, reply, state, cause);
  }
}

function invalidReply(
  request: HttpRequest,
  reply: HttpReply,
  detail: string,
  cause?: unknown,
): MillraceClientError {
  const message = `Cannot read the reply to ${request.method} ${request.path}: ${detail}`;
  return new MillraceClientError("INVALID_REPLY", message, {
    status: reply.status,
    detail,
    requestId: reply.headers.get("x-request-id") ?? undefined,
    cause,
  });
}
