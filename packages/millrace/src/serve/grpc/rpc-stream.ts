import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { Cancellation } from "../../core/cancellation.ts";
import type { Clock } from "../../core/clock.ts";
import { MillraceError } from "../../core/errors.ts";
import type { Prediction } from "../prediction.ts";
import { decompress, ENCODINGS } from "./decompress.ts";
import { parseGrpcTimeout } from "./grpc-timeout.ts";
import { MessageFrames } from "./message-frames.ts";
import type { Rpc, RpcCall } from "./rpc.ts";
import { errorTrailers, STATUS, toMillraceError } from "./status.ts";

export interface RpcStreamOptions {
  readonly clock: Clock;
  readonly messageBytesMax: number;
  /** Told once, when the call is over; `error` is undefined when it went well. */
  readonly onEnd: (call: RpcStream, error: MillraceError | undefined) => void;
}

/** Messages of one stream that are answered at the same time; the client's next ones wait in the connection. */
const STREAM_IN_FLIGHT_MAX = 32;

/** Longest time a message may take to arrive: a slow client must not hold memory for ever. */
const MESSAGE_MS_MAX = 300_000;

const REPLY_HEADERS = { ":status": 200, "content-type": "application/grpc" } as const;
const OK_TRAILERS = { "grpc-status": STATUS.OK };

/**
 * One call on its HTTP/2 stream: bytes to messages, messages to its method, frames and a status back.
 *
 * States: reading → answering → ended. A call ends once, with its trailers or because the client has gone;
 * whatever comes later finds it ended and is dropped.
 */
export class RpcStream implements RpcCall {
  readonly path: string;
  readonly metadata: IncomingHttpHeaders;
  readonly receivedMs: number;
  readonly cancellation = new Cancellation();
  timeoutMs: number | undefined;
  predictionId: string | undefined;
  prediction: Prediction | undefined;
  caller: string | undefined;
  rule: string | undefined;
  variant: string | undefined;
  readonly #stream: ServerHttp2Stream;
  readonly #options: RpcStreamOptions;
  #rpc: Rpc | undefined;
  #cancelDeadline: (() => void) | undefined;
  /** Set while a message is on its way. */
  #cancelArrival: (() => void) | undefined;
  #isEnded = false;
  /** The message of a unary call, until its client says that it was the only one. */
  #message: Buffer | undefined;
  #isCompressed = false;
  #inFlight = 0;
  /** Settles when every message so far is answered; for streams. */
  #answered: Promise<void> = Promise.resolve();

  constructor(stream: ServerHttp2Stream, metadata: IncomingHttpHeaders, options: RpcStreamOptions) {
    this.#stream = stream;
    this.#options = options;
    this.path = metadata[":path"] ?? "";
    this.metadata = metadata;
    this.receivedMs = options.clock.nowMs();
    stream.on("error", () => undefined); // a reset: "aborted" says what there is to say
    stream.on("aborted", () => this.#cancelled());
  }

  /** Reads the call and answers it. @throws INVALID_HEADER when its deadline is none. */
  start(rpc: Rpc): void {
    this.#rpc = rpc;
    const timeout = this.metadata["grpc-timeout"];
    if (timeout !== undefined) this.timeoutMs = parseGrpcTimeout(String(timeout));
    // A unary prediction watches its deadline itself, and gives up its place in the queue.
    if (rpc.kind !== "unary" && this.timeoutMs !== undefined) this.#watchDeadline(this.timeoutMs);
    const frames = new MessageFrames(this.#options.messageBytesMax);
    const take = (message: Buffer, isCompressed: boolean): void =>
      this.#take(message, isCompressed);
    this.#stream.on("data", (chunk: Buffer) => {
      if (this.#isEnded) return;
      try {
        frames.push(chunk, take);
      } catch (error) {
        this.fail(error);
      }
      this.#watchArrival(frames.isPartial);
    });
    this.#stream.on("end", () => this.#allRead(frames.isPartial));
  }

  /** Ends the call with the status of an error. */
  fail(error: unknown): void {
    if (this.#isEnded) return;
    const known = toMillraceError(error);
    this.#end(known);
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    const trailers = errorTrailers(known, this.predictionId);
    if (this.#rpc?.kind === "unary" && this.variant !== undefined) {
      trailers["x-model-variant"] = this.variant;
    }
    if (known.code === "NOT_IMPLEMENTED") trailers["grpc-accept-encoding"] = ENCODINGS;
    if (stream.headersSent) {
      this.#close(trailers);
      stream.resume(); // what still comes is dropped, until the client has seen the end
      return;
    }
    stream.respond({ ...REPLY_HEADERS, ...trailers }, { endStream: true });
    // What the client still sends is of no use; RFC 9113 names this code for it.
    if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
  }

  #take(message: Buffer, isCompressed: boolean): void {
    if (this.#isEnded) return;
    if (this.#rpc?.kind === "stream") {
      this.#answerNext(message, isCompressed);
      return;
    }
    if (this.#message !== undefined) throw wrongCount("more than one");
    this.#message = message;
    this.#isCompressed = isCompressed;
  }

  #allRead(isPartial: boolean): void {
    if (this.#isEnded) return;
    if (isPartial) {
      const text = "Cannot read the message: the call ended in the middle of it";
      this.fail(new MillraceError("MALFORMED_REQUEST", text));
    } else if (this.#rpc?.kind === "stream") void this.#answered.then(() => this.#succeed());
    else if (this.#message === undefined) this.fail(wrongCount("none"));
    else void this.#answer(this.#message);
  }

  async #answer(message: Buffer): Promise<void> {
    try {
      const plain = this.#isCompressed ? await this.#decompressed(message) : message;
      if (this.#rpc?.kind === "watch") {
        await this.#rpc.run(plain, this, (frame) => this.#send(frame));
        this.#succeed();
      } else if (this.#rpc?.kind === "unary") {
        const reply = this.#rpc.run(plain, this);
        this.#reply(reply instanceof Promise ? await reply : reply);
      }
    } catch (error) {
      this.fail(error);
    }
  }

  /** Starts the answer to one message of a stream, and sends it after those before it. */
  #answerNext(message: Buffer, isCompressed: boolean): void {
    if (this.#rpc?.kind !== "stream") return;
    const rpc = this.#rpc;
    const reply = isCompressed
      ? this.#decompressed(message).then((plain) => rpc.run(plain, this))
      : rpc.run(message, this);
    reply.catch(() => undefined); // seen below, when its turn has come
    if (++this.#inFlight === STREAM_IN_FLIGHT_MAX) this.#stream.pause();
    this.#answered = this.#answered.then(async () => {
      try {
        const frame = await reply;
        if (!this.#send(frame)) await this.#drained();
      } catch (error) {
        this.fail(error);
      }
      if (this.#inFlight-- === STREAM_IN_FLIGHT_MAX) this.#stream.resume();
    });
  }

  #decompressed(message: Buffer): Promise<Buffer> {
    const encoding = this.metadata["grpc-encoding"];
    const { messageBytesMax } = this.#options;
    return decompress(
      message,
      encoding === undefined ? undefined : String(encoding),
      messageBytesMax,
    );
  }

  /** The one reply of a unary call. */
  #reply(frame: Buffer): void {
    if (this.#isEnded) return;
    const stream = this.#stream;
    const { predictionId, prediction, variant } = this;
    // As a list, which costs Node less than an object, for it is sent as it stands.
    const headers = [":status", "200", "content-type", "application/grpc"];
    if (predictionId !== undefined) headers.push("x-prediction-id", predictionId);
    if (variant !== undefined) headers.push("x-model-variant", variant);
    if (prediction !== undefined) {
      headers.push("x-model", prediction.model);
      if (prediction.cache !== undefined) headers.push("x-cache", prediction.cache);
      if (prediction.degraded !== undefined) headers.push("x-degraded", prediction.degraded);
    }
    stream.respond(headers, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers(OK_TRAILERS));
    stream.end(frame);
    this.#end(undefined);
  }

  /** One of several replies. @returns false when the client reads more slowly than we write. */
  #send(frame: Buffer): boolean {
    const stream = this.#stream;
    if (this.#isEnded || stream.destroyed || stream.closed) return true;
    if (!stream.headersSent) stream.respond(REPLY_HEADERS, { waitForTrailers: true });
    return stream.write(frame);
  }

  /** Waits until the client has read, or has gone. */
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#stream.once("drain", resolve);
      this.#stream.once("close", resolve);
    });
  }

  #succeed(): void {
    if (this.#isEnded) return;
    this.#end(undefined);
    if (this.#stream.destroyed || this.#stream.closed) return;
    if (this.#stream.headersSent) this.#close(OK_TRAILERS);
    else this.#stream.respond({ ...REPLY_HEADERS, ...OK_TRAILERS }, { endStream: true });
  }

  #close(trailers: Record<string, string | number>): void {
    this.#stream.once("wantTrailers", () => this.#stream.sendTrailers(trailers));
    this.#stream.end();
  }

  #cancelled(): void {
    if (this.#isEnded) return;
    const error = new MillraceError("CANCELLED", "Cannot answer: the client has gone");
    this.#end(error);
    this.cancellation.cancel(error);
  }

  #watchDeadline(timeoutMs: number): void {
    this.#cancelDeadline = this.#options.clock.schedule(timeoutMs, () => {
      const error = new MillraceError("DEADLINE_EXCEEDED", "Cannot go on: the deadline has passed");
      this.fail(error);
      this.cancellation.cancel(error);
    });
  }

  #watchArrival(isPartial: boolean): void {
    if (isPartial === (this.#cancelArrival !== undefined)) return;
    this.#cancelArrival?.();
    this.#cancelArrival = undefined;
    if (!isPartial || this.#isEnded) return;
    this.#cancelArrival = this.#options.clock.schedule(MESSAGE_MS_MAX, () => {
      const text = `Cannot read the message: it took longer than ${MESSAGE_MS_MAX} ms to arrive`;
      this.fail(new MillraceError("REQUEST_TIMEOUT", text));
    });
  }

  #end(error: MillraceError | undefined): void {
    this.#isEnded = true;
    this.#cancelDeadline?.();
    this.#cancelArrival?.();
    this.#options.onEnd(this, error);
  }
}

function wrongCount(found: string): MillraceError {
  return new MillraceError(
    "NOT_IMPLEMENTED",
    `Cannot read the call: it has ${found} message, the method takes exactly one`,
  );
}
