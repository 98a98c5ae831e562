import { Agent, request as httpRequest, type ClientRequest } from "node:http";
import { Agent as TlsAgent, request as httpsRequest } from "node:https";
import { MillraceError } from "../../core/errors.ts";
import { HttpCall, type CallLimits, type HttpReply } from "./http-call.ts";
import type { RemoteAddress } from "./remote-address.ts";

/** Connections nobody uses are closed after this; servers that close theirs sooner say so in `keep-alive`. */
const IDLE_MS = 30_000;

export interface Question {
  readonly method: "GET" | "POST";
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
}

export interface HttpChannelOptions {
  /** Name of the remote, for errors. */
  readonly remote: string;
  readonly address: RemoteAddress;
  /** Questions under way at a time, and so connections; one more is refused. */
  readonly concurrency: number;
}

/** Connections to one server, kept between questions. No redirect is followed and no other host is ever asked. */
export class HttpChannel {
  readonly #remote: string;
  readonly #address: RemoteAddress;
  readonly #concurrency: number;
  readonly #agent: Agent;
  #inFlight = 0;
  #isClosed = false;

  constructor({ remote, address, concurrency }: HttpChannelOptions) {
    this.#remote = remote;
    this.#address = address;
    this.#concurrency = concurrency;
    const limits = { keepAlive: true, maxSockets: concurrency, timeout: IDLE_MS };
    this.#agent = address.isTls ? new TlsAgent(limits) : new Agent(limits);
  }

  /**
   * @returns the reply, whatever its status.
   * @throws OVERLOADED, DEADLINE_EXCEEDED, REMOTE_FAILED; MODEL_NOT_READY when it is closed; the reason of the
   * cancellation.
   */
  async ask(question: Question, limits: CallLimits): Promise<HttpReply> {
    limits.cancellation?.throwIfCancelled();
    if (this.#inFlight >= this.#concurrency) throw this.#full();
    this.#inFlight++;
    try {
      const open = (isFresh: boolean): ClientRequest => this.#open(question, isFresh);
      return await new HttpCall({ remote: this.#remote, open, body: question.body, limits }).reply;
    } finally {
      this.#inFlight--;
    }
  }

  #open({ method, path, headers }: Question, isFresh: boolean): ClientRequest {
    // A question that the end broke off would else be asked again over a connection of its own.
    if (this.#isClosed) throw this.#closed();
    const { isTls, hostname, port } = this.#address;
    const send = isTls ? httpsRequest : httpRequest;
    return send({ hostname, port, method, path, headers, agent: isFresh ? false : this.#agent });
  }

  #full(): MillraceError {
    const state = `remote "${this.#remote}" works on ${this.#inFlight} requests, its limit is ${this.#concurrency}`;
    return MillraceError.withoutStack("OVERLOADED", `Cannot predict: ${state}`, {
      reason: "concurrency",
      retryAfterSeconds: 1,
    });
  }

  #closed(): MillraceError {
    const message = `Cannot predict: remote "${this.#remote}" is closed`;
    return MillraceError.withoutStack("MODEL_NOT_READY", message);
  }

  /** Closes every connection; what is still under way fails. */
  close(): void {
    this.#isClosed = true;
    this.#agent.destroy();
  }
}
