import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Cancellation } from "../../core/cancellation.ts";
import type { Clock } from "../../core/clock.ts";
import { MillraceError } from "../../core/errors.ts";
import { remoteFailed, unreachable } from "./remote-error.ts";
import { ReplyBytes } from "./reply-bytes.ts";

export interface HttpReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Memory of its own. */
  readonly bytes: Uint8Array;
}

/** How long somebody waits for a reply, and how much of it is taken. */
export interface CallLimits {
  readonly clock: Clock;
  /** For all of it: connecting, sending, waiting, receiving. */
  readonly timeoutMs: number;
  readonly cancellation: Cancellation | undefined;
  readonly replyBytesMax: number;
}

export interface HttpCallOptions {
  /** Name of the remote, for errors. */
  readonly remote: string;
  /** Begins a request without sending its body. @param isFresh over a new connection. */
  readonly open: (isFresh: boolean) => ClientRequest;
  readonly body: string | Uint8Array | undefined;
  readonly limits: CallLimits;
}

/**
 * One question and its answer.
 *
 * A connection that was kept may have been closed by the server just when the question left; then, and when nothing
 * of an answer has come, it is asked once more over a new connection. Predictions change nothing, so it does no harm
 * should the server have read the first one after all.
 */
export class HttpCall {
  readonly reply: Promise<HttpReply>;
  readonly #options: HttpCallOptions;
  readonly #resolve: (reply: HttpReply) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #stopTimer: () => void;
  readonly #unwatch: (() => void) | undefined;
  #request: ClientRequest | undefined;
  #isEnded = false;

  constructor(options: HttpCallOptions) {
    this.#options = options;
    const { promise, resolve, reject } = Promise.withResolvers<HttpReply>();
    this.reply = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    const { clock, timeoutMs, cancellation } = options.limits;
    this.#stopTimer = clock.schedule(timeoutMs, () => this.#fail(tooLate(options)));
    this.#unwatch = cancellation?.watch(() => this.#fail(cancellation.reason));
    this.#start(false);
  }

  #start(isFresh: boolean): void {
    try {
      this.#send(isFresh);
    } catch (error) {
      this.#fail(error); // a defect: headers and path were checked before
    }
  }

  #send(isFresh: boolean): void {
    const { open, body } = this.#options;
    const request = open(isFresh);
    this.#request = request;
    let hasAnswered = false;
    request.on("error", (error: NodeJS.ErrnoException) => {
      if (this.#isEnded || request !== this.#request) return;
      const isStale = request.reusedSocket && !hasAnswered && !isFresh && isReset(error);
      if (isStale) this.#start(true);
      else this.#fail(unreachable(this.#options.remote, error));
    });
    request.once("response", (response) => {
      hasAnswered = true;
      this.#receive(response);
    });
    // Neither an error nor a response comes when the server switches to another protocol.
    request.once("close", () => {
      if (this.#isEnded || hasAnswered || request !== this.#request) return;
      this.#fail(unreachable(this.#options.remote, closedSilently()));
    });
    request.end(body);
  }

  #receive(response: IncomingMessage): void {
    const { remote, limits } = this.#options;
    const { replyBytesMax } = limits;
    const length = response.headers["content-length"];
    const announced = length === undefined ? undefined : Number(length);
    const tooLarge = (): void => {
      const state = `answered with more than ${replyBytesMax} bytes`;
      this.#fail(remoteFailed(remote, state, { reason: "too_large" }));
    };
    response.on("error", (error) => this.#fail(unreachable(remote, error)));
    if (announced !== undefined && announced > replyBytesMax) {
      tooLarge();
      return;
    }
    const bytes = new ReplyBytes(replyBytesMax, announced);
    response.on("data", (chunk: Buffer) => {
      if (!this.#isEnded && !bytes.add(chunk)) tooLarge();
    });
    response.on("end", () => {
      const { statusCode = 0, headers } = response;
      this.#succeed({ status: statusCode, headers, bytes: bytes.finish() });
    });
  }

  #succeed(reply: HttpReply): void {
    if (!this.#end()) return;
    // One that answers before it has read the question may never read the rest of it.
    if (this.#request?.writableFinished !== true) this.#request?.destroy();
    this.#resolve(reply);
  }

  #fail(reason: unknown): void {
    if (!this.#end()) return;
    this.#request?.destroy();
    this.#reject(reason);
  }

  /** @returns false when it has ended before. */
  #end(): boolean {
    if (this.#isEnded) return false;
    this.#isEnded = true;
    this.#stopTimer();
    this.#unwatch?.();
    return true;
  }
}

function closedSilently(): Error {
  return Object.assign(new Error("the connection was closed"), { code: "ECONNRESET" });
}

function isReset({ code }: NodeJS.ErrnoException): boolean {
  return code === "ECONNRESET" || code === "EPIPE";
}

function tooLate({ remote, limits }: HttpCallOptions): MillraceError {
  const state = `remote "${remote}" did not answer within ${Math.ceil(limits.timeoutMs)} ms`;
  return MillraceError.withoutStack("DEADLINE_EXCEEDED", `Cannot predict: ${state}`);
}
