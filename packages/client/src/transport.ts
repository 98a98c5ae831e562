import { MillraceClientError } from "./client-error.ts";
import type { Clock } from "./clock.ts";
import { Deadline } from "./deadline.ts";
import { errorFromReply } from "./error-from-reply.ts";
import type { RetryPolicy } from "./retry-policy.ts";

/** Options of a single call. */
export interface CallOptions {
  /** Longest time for the call, retries included, in milliseconds: 1 to 86400000 (a day). Default: the client's. */
  readonly timeoutMs?: number;
  /** Ends the call at once; its reason is what the call throws. */
  readonly signal?: AbortSignal;
  /** Sent besides the client's own headers; wins where both have one. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as `x-request-id`. Default: the server makes one. */
  readonly requestId?: string;
}

export interface HttpRequest {
  readonly method: "GET" | "POST";
  /** Path with its leading slash, segments already escaped. */
  readonly path: string;
  readonly headers?: Headers;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** Statuses beside 2xx that are an answer, not a failure. Such a request is never retried. */
  readonly answers?: readonly number[];
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

export interface TransportOptions {
  /** Origin, with a path prefix or not, without a slash at its end. */
  readonly baseUrl: string;
  readonly key: string | undefined;
  readonly timeoutMs: number;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly retries: RetryPolicy;
}

/** A day. Far below 2^31, from where on setTimeout fires at once. */
const TIMEOUT_MS_MAX = 86_400_000;

/** Sends requests within a deadline and a retry budget, and turns every failure into a MillraceClientError. */
export class Transport {
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** @returns a 2xx reply, or one of `answers`, its body read to the end. */
  async send(request: HttpRequest, options: CallOptions = {}): Promise<HttpReply> {
    options.signal?.throwIfAborted();
    const headers = this.#headersOf(request, options);
    const { retries } = this.#options;
    const deadline = this.#openDeadline(request, options);
    try {
      retries.onRequest();
      for (let retryCount = 0; ; retryCount++) {
        headers.set("x-request-timeout", `${Math.max(1, Math.ceil(deadline.remainingMs()))}ms`);
        const outcome = await this.#attempt(request, headers, deadline.signal);
        if (!(outcome instanceof MillraceClientError)) return outcome;
        const delayMs =
          request.answers === undefined
            ? retries.takeRetry(outcome, retryCount, deadline.remainingMs())
            : undefined;
        if (delayMs === undefined) throw outcome;
        await deadline.sleep(delayMs);
      }
    } finally {
      deadline.close();
    }
  }

  /** @returns a failure as a value, since another attempt may follow. @throws the reason when `signal` aborts. */
  async #attempt(
    request: HttpRequest,
    headers: Headers,
    signal: AbortSignal,
  ): Promise<HttpReply | MillraceClientError> {
    const action = `${request.method} ${request.path}`;
    let status: number | undefined;
    try {
      const response = await this.#options.fetch(this.#options.baseUrl + request.path, {
        method: request.method,
        headers,
        body: request.body ?? null,
        signal,
      });
      status = response.status;
      const body = new Uint8Array(await response.arrayBuffer());
      if (response.ok || request.answers?.includes(status) === true) {
        return { status, headers: response.headers, body };
      }
      const text = new TextDecoder().decode(body);
      return errorFromReply(action, { status, headers: response.headers, text });
    } catch (cause) {
      signal.throwIfAborted();
      const { host } = new URL(this.#options.baseUrl); // a URL may hold a password
      const detail = `the connection to ${host} failed${reasonOf(cause)}`;
      const message = `Cannot ${action}: ${detail}`;
      return new MillraceClientError("CONNECTION_FAILED", message, { status, detail, cause });
    }
  }

  #headersOf(request: HttpRequest, options: CallOptions): Headers {
    const headers = new Headers(request.headers);
    // A reply with binary tensors is no JSON, and errors are JSON of several media types.
    headers.set("accept", "application/json, */*");
    if (this.#options.key !== undefined) {
      headers.set("authorization", `Bearer ${this.#options.key}`);
    }
    if (options.requestId !== undefined) headers.set("x-request-id", options.requestId);
    for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value);
    return headers;
  }

  #openDeadline(request: HttpRequest, options: CallOptions): Deadline {
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs;
    if (!(timeoutMs >= 1 && timeoutMs <= TIMEOUT_MS_MAX)) {
      throw new RangeError(
        `Cannot set timeoutMs: it is ${timeoutMs}, 1 to ${TIMEOUT_MS_MAX} is allowed`,
      );
    }
    const detail = `no reply within ${timeoutMs} ms`;
    const message = `Cannot ${request.method} ${request.path}: ${detail}`;
    return new Deadline({
      clock: this.#options.clock,
      timeoutMs,
      signal: options.signal,
      makeReason: () => new MillraceClientError("DEADLINE_EXCEEDED", message, { detail }),
    });
  }
}

/** Node's fetch says "fetch failed" and keeps the system's error below it. */
function reasonOf(failure: unknown): string {
  const cause = failure instanceof Error ? (failure.cause ?? failure) : failure;
  if (!(cause instanceof Error)) return "";
  const code = (cause as { code?: unknown }).code;
  return ` (${typeof code === "string" ? code : cause.message})`;
}
