import type { FastifyReply, FastifyRequest } from "fastify";
import { Cancellation } from "../../core/cancellation.ts";
import { MillraceError } from "../../core/errors.ts";
import type { Prediction } from "../prediction.ts";
import type { RequestTrace } from "../request-trace.ts";
import type { Answer, Exchange, ExchangeHandler, HeaderName } from "./exchange.ts";
import "./request-state.ts";

interface HotParams {
  readonly service?: string;
  readonly model?: string;
  readonly version?: string;
}

/** A request that came through Node's parser and Fastify, as handlers of hot routes take it. */
export class FastifyExchange implements Exchange {
  trace: RequestTrace | undefined = undefined;
  readonly #request: FastifyRequest;
  #cancellation: Cancellation | undefined;

  constructor(request: FastifyRequest) {
    this.#request = request;
  }

  get cancellation(): Cancellation {
    this.#cancellation ??= onDisconnect(this.#request);
    return this.#cancellation;
  }

  get requestId(): string {
    return this.#request.id;
  }

  get receivedMs(): number {
    return this.#request.receivedMs;
  }

  get method(): string {
    return this.#request.method;
  }

  get pathText(): string {
    return this.#request.url.split("?", 1)[0] as string;
  }

  get caller(): string | undefined {
    return this.#request.caller;
  }

  anyHeader(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  query(name: string): string | undefined {
    const value = (this.#request.query as Readonly<Record<string, string | string[]>>)[name];
    return Array.isArray(value) ? value[0] : value;
  }

  get service(): string | undefined {
    const { service, model } = this.#request.params as HotParams;
    return service ?? model;
  }

  get version(): string | undefined {
    return (this.#request.params as HotParams).version;
  }

  get body(): Uint8Array {
    const { body } = this.#request;
    return body instanceof Uint8Array ? body : new Uint8Array(0);
  }

  get bodyBytesMax(): number {
    return this.#request.routeOptions.bodyLimit ?? 0;
  }

  header(name: HeaderName): string | undefined {
    return this.anyHeader(name);
  }

  get predictionId(): string | undefined {
    return this.#request.predictionId;
  }

  set predictionId(id: string | undefined) {
    this.#request.predictionId = id;
  }

  get rule(): string | undefined {
    return this.#request.rule;
  }

  set rule(rule: string | undefined) {
    this.#request.rule = rule;
  }

  get variant(): string | undefined {
    return this.#request.variant;
  }

  set variant(variant: string | undefined) {
    this.#request.variant = variant;
  }

  get prediction(): Prediction | undefined {
    return this.#request.prediction;
  }

  set prediction(prediction: Prediction | undefined) {
    this.#request.prediction = prediction;
  }
}

/** @returns `handler` as a handler of Fastify's. */
export function throughFastify(
  handler: ExchangeHandler,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) =>
    sendAnswer(await handler(new FastifyExchange(request)), request, reply);
}

export function sendAnswer(
  { status, headers, body }: Answer,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  for (const [name, value] of headers) void reply.header(name, value);
  if (request.predictionId !== undefined) {
    void reply.header("x-prediction-id", request.predictionId);
  }
  if (request.variant !== undefined) void reply.header("x-model-variant", request.variant);
  return sendsAsItIs(reply).code(status).send(body);
}

/** The reply is finished text. With a serializer of its own Fastify adds no charset to the content type. */
export function sendsAsItIs(reply: FastifyReply): FastifyReply {
  return reply.serializer(asItIs);
}

function asItIs(text: string): string {
  return text;
}

/** Cancelled when the connection closes before the reply is written. */
function onDisconnect(request: FastifyRequest): Cancellation {
  const cancellation = new Cancellation();
  const { socket } = request.raw;
  const cancel = (): void => {
    cancellation.cancel(new MillraceError("CANCELLED", "Cannot predict: the client has gone"));
  };
  socket.once("close", cancel);
  request.onAnswered = () => socket.off("close", cancel);
  return cancellation;
}
