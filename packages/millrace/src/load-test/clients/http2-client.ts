import { messageOf } from "../../core/message-of.ts";
import { LoadInputError } from "../load-input-error.ts";
import type { LoadPlan } from "../load-plan.ts";
import type { LoadTarget } from "../payloads/load-target.ts";
import { timeoutText } from "./ending-texts.ts";
import type { Http2Connection } from "./http2-connection.ts";
import type { Http2Answer, Http2Dialect, Http2Request } from "./http2-dialect.ts";
import { Http2Exchange, type Http2ExchangeEvents } from "./http2-exchange.ts";
import { Http2Origin } from "./http2-origin.ts";
import { Http2Pool } from "./http2-pool.ts";
import type { ClientContext, LoadClient, Start } from "./load-client.ts";
import { PLAIN_HTTP2 } from "./plain-http2.ts";
import { tlsOptions, type TlsOptionsOf } from "./tls-options.ts";

/** A request that a server says it has not begun is sent once more, as HTTP/2 clients do; its time goes on. */
const TRIES_MAX = 2;

/** Connections that are opened at a time before anything is due: a server's line for them is short. */
const OPENING_MAX = 64;

/** They all have so long, and never longer than a request. */
const OPEN_MS_MAX = 30_000;

/** A reset costs as much as some requests; thousands at once would hold up what is due. */
const EXPIRED_MAX = 32;

/** Methods whose requests say their length also where it is 0. */
const LENGTH_METHODS: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/** What is the same for all requests of a target. */
interface PreparedTarget {
  readonly pool: Http2Pool;
  readonly request: Http2Request;
  /** Undefined where each request has a body of its own. */
  readonly fixed: { readonly headers: readonly string[]; readonly data: Uint8Array } | undefined;
}

/**
 * Sends requests over HTTP/2 connections: with TLS and ALPN where the target is https, else in clear with prior
 * knowledge. A connection carries as many requests at a time as its server takes; `connectionsMax` bounds the
 * requests under way of this client, and so its connections.
 */
export class Http2Client implements LoadClient {
  readonly #plan: LoadPlan;
  readonly #context: ClientContext;
  readonly #dialect: Http2Dialect;
  readonly #tlsOptionsOf: TlsOptionsOf;
  readonly #pools = new Map<string, Http2Pool>();
  readonly #targets: readonly PreparedTarget[];
  /** Under way, in the order they were sent. */
  readonly #exchanges = new Set<Http2Exchange>();
  readonly #events: Http2ExchangeEvents;
  #connections = 0;
  #connectionsPeak = 0;
  #isClosed = false;

  /** @throws LoadInputError for a target or a certificate that cannot be used. */
  constructor(plan: LoadPlan, context: ClientContext, dialect: Http2Dialect = PLAIN_HTTP2) {
    this.#plan = plan;
    this.#context = context;
    this.#dialect = dialect;
    this.#tlsOptionsOf = tlsOptions(plan.tls);
    this.#targets = plan.targets.map((target) => this.#prepare(target));
    this.#events = {
      now: () => context.now(),
      answered: (exchange, answer) => this.#answered(exchange, answer),
      failed: (exchange, why, isRefused) => this.#failed(exchange, why, isRefused),
    };
  }

  get underWay(): number {
    return this.#exchanges.size;
  }

  get connectionsPeak(): number {
    return this.#connectionsPeak;
  }

  async open(connections: number): Promise<void> {
    const { keepAlive, connectionsMax, timeoutMs } = this.#plan;
    // Where each request has a connection of its own, one shows whether there is a server.
    const count = Math.min(connections, keepAlive ? connectionsMax : 1);
    const limitMs = Math.min(timeoutMs, OPEN_MS_MAX);
    const opened: Http2Connection[] = [];
    const timer = setTimeout(() => {
      for (const connection of opened) {
        if (!connection.isReady) connection.destroy(`${timeoutText(limitMs)} to a new connection`);
      }
    }, limitMs);
    try {
      while (opened.length < count) {
        const first = opened.length;
        const ready = Array.from({ length: Math.min(OPENING_MAX, count - first) }, (_, i) =>
          this.#openOne(first + i, opened),
        );
        // oxlint-disable-next-line no-await-in-loop -- a few at a time
        await Promise.all(ready);
      }
    } finally {
      clearTimeout(timer);
      if (!keepAlive) for (const connection of opened) connection.destroy();
    }
  }

  send(start: Start): boolean {
    if (this.#exchanges.size >= this.#plan.connectionsMax) return false;
    const { pool } = this.#targets[start.target] as PreparedTarget;
    const connection = pool.take();
    if (connection === undefined) return false;
    const exchange = new Http2Exchange(start, this.#events);
    this.#exchanges.add(exchange);
    this.#sendOver(connection, exchange);
    return true;
  }

  expire(nowMs: number): void {
    const { timeoutMs } = this.#plan;
    let left = EXPIRED_MAX;
    for (const exchange of this.#exchanges) {
      if (left-- === 0 || nowMs - exchange.sentMs < timeoutMs) return;
      exchange.giveUp();
      this.#end(exchange, 0, timeoutText(timeoutMs));
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#exchanges.clear();
    for (const pool of this.#pools.values()) pool.close();
  }

  #prepare(target: LoadTarget): PreparedTarget {
    const pool = this.#poolOf(originOf(target));
    const request = this.#dialect.prepare(target);
    const body = constantBody(target);
    if (body === undefined) return { pool, request, fixed: undefined };
    const data = request.dataOf(body);
    return { pool, request, fixed: { data, headers: withLength(request.headers, data) } };
  }

  #poolOf(url: URL): Http2Pool {
    const known = this.#pools.get(url.origin);
    if (known !== undefined) return known;
    const origin = new Http2Origin(url, this.#plan.connect, this.#tlsOptionsOf);
    const pool = new Http2Pool({
      connect: () => origin.connect(),
      keepAlive: this.#plan.keepAlive,
      mayOpen: () => this.#mayOpen(),
      opened: () => {
        this.#connections++;
        this.#connectionsPeak = Math.max(this.#connectionsPeak, this.#connections);
      },
      closed: () => {
        this.#connections--;
      },
    });
    this.#pools.set(url.origin, pool);
    return pool;
  }

  /** @param number the origins take turns. */
  async #openOne(number: number, opened: Http2Connection[]): Promise<void> {
    const pools = [...this.#pools];
    const [origin, pool] = pools[number % pools.length] as (typeof pools)[number];
    const connection = pool.open();
    opened.push(connection);
    try {
      await connection.ready;
    } catch (error) {
      throw new LoadInputError(`Cannot connect to ${origin}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** Where all are open, one that has nothing to do makes place: its origin may not be asked again. */
  #mayOpen(): boolean {
    if (this.#connections < this.#plan.connectionsMax) return true;
    for (const pool of this.#pools.values()) if (pool.closeIdle()) return true;
    return false;
  }

  #sendOver(connection: Http2Connection, exchange: Http2Exchange): void {
    const { start } = exchange;
    const { request, fixed } = this.#targets[start.target] as PreparedTarget;
    try {
      if (fixed !== undefined) exchange.send(connection, fixed.headers, fixed.data);
      else {
        // Node holds on to what it sends, and the body is used up before the next one is made.
        const data = request.dataOf(Buffer.from(this.#context.bodyOf(start)));
        exchange.send(connection, withLength(request.headers, data), data);
      }
    } catch (error) {
      // Not before send() has returned: whoever answers an ending with a start would never come to an end.
      setImmediate(() => this.#end(exchange, 0, messageOf(error)));
    }
  }

  #answered(exchange: Http2Exchange, answer: Http2Answer): void {
    const { code, error } = this.#dialect.outcomeOf(answer);
    this.#end(exchange, code, error);
  }

  #failed(exchange: Http2Exchange, why: string, isRefused: boolean): void {
    if (this.#isClosed) return;
    if (isRefused && exchange.tries < TRIES_MAX) {
      const { pool } = this.#targets[exchange.start.target] as PreparedTarget;
      const connection = pool.take();
      if (connection !== undefined) {
        this.#sendOver(connection, exchange);
        return;
      }
    }
    this.#end(exchange, 0, why);
  }

  #end(exchange: Http2Exchange, code: number, error: string): void {
    if (!this.#exchanges.delete(exchange)) return;
    const { start, sentMs, firstByteMs, bytesOut, bytesIn } = exchange;
    const doneMs = this.#context.now();
    this.#context.ended({ start, sentMs, firstByteMs, doneMs, code, bytesOut, bytesIn, error });
  }
}

function originOf({ url }: LoadTarget): URL {
  const parsed = URL.parse(url);
  if (parsed?.protocol === "http:" || parsed?.protocol === "https:") return parsed;
  throw new LoadInputError(`Cannot send to ${JSON.stringify(url)}: it is no http or https URL`);
}

/** @returns undefined where templates make a body for each request. */
function constantBody({ body }: LoadTarget): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  for (const part of body) {
    if (part.kind !== "bytes") return undefined;
    parts.push(part.bytes);
  }
  return parts.length === 1 ? parts[0] : Buffer.concat(parts);
}

/** Where there is a body, or the method (the first header) usually has one. */
function withLength(headers: readonly string[], data: Uint8Array): readonly string[] {
  if (data.length === 0 && !LENGTH_METHODS.has(headers[1] as string)) return headers;
  return [...headers, "content-length", String(data.length)];
}
