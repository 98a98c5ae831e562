import { LoadInputError } from "../load-input-error.ts";
import type { LoadPlan } from "../load-plan.ts";
import { statusText, timeoutText } from "./ending-texts.ts";
import type { Http1Connection, Http1ConnectionEvents } from "./http1-connection.ts";
import { Http1Endpoint } from "./http1-endpoint.ts";
import { Http1Pool } from "./http1-pool.ts";
import { Http1Request } from "./http1-request.ts";
import type { ClientContext, LoadClient, Start } from "./load-client.ts";
import { tlsOptions } from "./tls-options.ts";
import { WaitingConnections } from "./waiting-connections.ts";

/** Connections that are opened at a time before anything is due: a server's line for them is short. */
const OPENING_MAX = 64;
/** All of them have so long. */
const OPEN_MS_MAX = 30_000;
/** A reset costs as much as some requests; thousands at once would hold up what is due. */
const EXPIRED_MAX = 32;
/** A connection is not used any more so long before its server closes it, or half of that time: the two could cross. */
const IDLE_MARGIN_MS = 1000;

interface Http1Target {
  readonly endpoint: Http1Endpoint;
  readonly request: Http1Request;
}

/** Sends requests over HTTP/1.1 connections, plain or with TLS, one request at a time on each. */
export class Http1Client implements LoadClient, Http1ConnectionEvents {
  readonly #plan: LoadPlan;
  readonly #context: ClientContext;
  readonly #endpoints: readonly Http1Endpoint[];
  readonly #targets: readonly Http1Target[];
  readonly #pool: Http1Pool;
  readonly #waiting = new WaitingConnections();
  /** Connections that are waited for before anything is due. */
  readonly #opening = new Map<Http1Connection, PromiseWithResolvers<void>>();

  /** @throws LoadInputError when a target cannot be asked, or a certificate not be used. */
  constructor(plan: LoadPlan, context: ClientContext) {
    this.#plan = plan;
    this.#context = context;
    this.#pool = new Http1Pool(plan, this);
    const tls = tlsOptions(plan.tls);
    const endpoints = new Map<string, Http1Endpoint>();
    for (const target of plan.targets) {
      const url = new URL(target.url);
      const known = endpoints.get(url.origin);
      if (known === undefined) endpoints.set(url.origin, new Http1Endpoint(url, plan.connect, tls));
    }
    this.#endpoints = [...endpoints.values()];
    const options = {
      keepAlive: plan.keepAlive,
      // What is replayed was recorded once.
      isRepeated: plan.arrivals.kind !== "times",
      bodyOf: (start: Start) => context.bodyOf(start),
    };
    this.#targets = plan.targets.map((target) => ({
      endpoint: endpoints.get(new URL(target.url).origin)!,
      request: new Http1Request(target, options),
    }));
  }

  get underWay(): number {
    return this.#waiting.count;
  }

  get connectionsPeak(): number {
    return this.#pool.peak;
  }

  async open(connections: number): Promise<void> {
    const count = Math.min(connections, this.#plan.connectionsMax);
    const timer = setTimeout(() => this.#giveUpOpening(), OPEN_MS_MAX);
    try {
      for (let first = 0; first < count; first += OPENING_MAX) {
        const numbers = Array.from({ length: Math.min(OPENING_MAX, count - first) }, (_, i) => i);
        const opened = numbers.map((i) => this.#openOne(first + i));
        // oxlint-disable-next-line no-await-in-loop -- a few at a time
        await Promise.all(opened);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  send(start: Start): boolean {
    const { endpoint, request } = this.#targets[start.target]!;
    // Its due time is near enough to say whether an idle connection has become too old.
    const connection = this.#pool.take(endpoint, start.intendedMs);
    if (connection === undefined) return false;
    connection.send(start, request);
    this.#waiting.add(connection);
    return true;
  }

  expire(nowMs: number): void {
    const { timeoutMs } = this.#plan;
    for (let i = 0; i < EXPIRED_MAX; i++) {
      const connection = this.#waiting.first;
      if (connection === undefined || nowMs - connection.sentMs < timeoutMs) return;
      this.#pool.reset(connection);
      this.#end(connection, nowMs, 0, timeoutText(timeoutMs));
    }
  }

  close(): void {
    this.#pool.closeAll();
  }

  now(): number {
    return this.#context.now();
  }

  onOpen(connection: Http1Connection): void {
    const opening = this.#opening.get(connection);
    if (opening === undefined) return;
    this.#opening.delete(connection);
    this.#pool.release(connection);
    opening.resolve();
  }

  onAnswer(connection: Http1Connection): void {
    const { doneMs } = connection;
    const { status, idleMsMax } = connection.reply.head;
    if (connection.isReusable && this.#plan.keepAlive) {
      connection.idleUntilMs = doneMs + Math.max(idleMsMax - IDLE_MARGIN_MS, idleMsMax / 2);
      this.#pool.release(connection);
    } else {
      this.#pool.close(connection);
    }
    this.#end(connection, doneMs, status, statusText(status));
  }

  onGone(connection: Http1Connection, why: string): void {
    this.#pool.forget(connection);
    this.#openingFailed(connection, why);
    if (connection.start !== undefined) this.#end(connection, this.now(), 0, why);
  }

  #end(connection: Http1Connection, doneMs: number, code: number, error: string): void {
    const { start, sentMs, firstByteMs, bodyBytes: bytesOut } = connection;
    if (start === undefined) return;
    const bytesIn = connection.reply.bodyBytes;
    connection.start = undefined;
    this.#waiting.delete(connection);
    this.#context.ended({ start, sentMs, firstByteMs, doneMs, code, bytesOut, bytesIn, error });
  }

  /** @param number the endpoints take turns. */
  #openOne(number: number): Promise<void> {
    const endpoint = this.#endpoints[number % this.#endpoints.length]!;
    const opening = Promise.withResolvers<void>();
    this.#opening.set(this.#pool.open(endpoint), opening);
    return opening.promise;
  }

  #openingFailed(connection: Http1Connection, why: string): void {
    const opening = this.#opening.get(connection);
    this.#opening.delete(connection);
    opening?.reject(new LoadInputError(`Cannot connect to ${connection.endpoint.name}: ${why}`));
  }

  #giveUpOpening(): void {
    for (const connection of this.#opening.keys()) {
      this.#pool.reset(connection);
      this.#openingFailed(connection, timeoutText(OPEN_MS_MAX));
    }
  }
}
