import type { Socket } from "node:net";
import { Cancellation } from "../../../core/cancellation.ts";
import { MillraceError } from "../../../core/errors.ts";
import { freeMemory } from "../../../core/free-memory.ts";
import { answerClientError } from "../client-error.ts";
import { knownError, problemAnswer } from "../problem.ts";
import { requestIdOf } from "../request-id.ts";
import { bodyBuffer } from "./body-buffer.ts";
import type { HotPath, HotPaths } from "./hot-paths.ts";
import { LaneExchange, type LaneRequest } from "./lane-exchange.ts";
import type { FastLaneOptions } from "./fast-lane-options.ts";
import type { Holdable, LaneTurn } from "./lane-turn.ts";
import { isPlainMediaType } from "./plain-media-type.ts";
import { headerValue, recogniseHead, type PlainHead } from "./recognise-head.ts";
import { ReplyQueue, type ReplyPlace } from "./reply-queue.ts";
import type { ReplyText } from "./reply-text.ts";

/** Requests of one connection that may wait for their replies; further ones stay in the socket. */
export const PIPELINE_MAX = 16;

/** Longest time a request may take to arrive: its head, and all of it. */
export const HEAD_MS_MAX = 60_000;
export const REQUEST_MS_MAX = 300_000;

/**
 * Longest time a connection may be silent between requests, and before the first: more than the 60 s that load
 * balancers keep theirs, so that none is closed while a request comes that it was kept for.
 */
export const KEEP_ALIVE_MS = 72_000;

/** Bytes of bodies that connections may announce and not yet have sent; beyond it Node's parser collects them. */
const ARRIVING_BYTES_MAX = 256 * 1024 * 1024;

/** What the connections of a lane share. */
export interface LaneState {
  readonly options: FastLaneOptions;
  readonly paths: HotPaths;
  readonly text: ReplyText;
  readonly turn: LaneTurn;
  /** Of all connections together, bounded by `ARRIVING_BYTES_MAX`. */
  arrivingBytes: number;
  /** Takes the connection for good; the bytes that were not answered are in the socket again. */
  readonly handOver: (socket: Socket, connection: LaneConnection) => void;
  readonly onClosed: (connection: LaneConnection) => void;
}

/**
 * - `reading`: bytes become requests as they come.
 * - `full`: the socket is paused; replies must leave first. What was read and not understood is in `#rest`.
 * - `held`: the request at the begin of `#rest` waits for its refusal, unread.
 * - `leaving`: the socket is paused; when the last reply has left, Node's parser takes the connection.
 * - `closed`: nothing comes or goes.
 */
type State = "reading" | "full" | "held" | "leaving" | "closed";

/** A request whose body is on its way. */
interface Arriving {
  readonly request: LaneRequest;
  readonly body: Buffer;
  filledBytes: number;
}

/** One connection of the fast lane. */
export class LaneConnection implements Holdable {
  readonly #lane: LaneState;
  readonly #socket: Socket;
  readonly #replies: ReplyQueue;
  #state: State = "reading";
  /** The begin of a head, or what waits while the connection is `full`, `held` or `leaving`. */
  #rest: Buffer | undefined;
  #arriving: Arriving | undefined;
  /** Bytes still to come of a body whose request was refused. */
  #skipBytes = 0;
  /** The one for all requests of the connection: for when the client has gone. */
  readonly #cancellation = new Cancellation();
  /** Of the last request that was allowed, and the name of its key. */
  #authorization: string | undefined;
  #caller: string | undefined;
  /** When the request that is arriving began; undefined when none is. */
  #begunMs: number | undefined;
  /** When a look first found it without work. */
  #idleSinceMs: number | undefined;
  #isClosing = false;
  /** The next request is to be refused: the event loop has no time for it. */
  #isShedding = false;

  constructor(socket: Socket, lane: LaneState) {
    this.#socket = socket;
    this.#lane = lane;
    this.#replies = new ReplyQueue(socket, {
      turn: lane.turn,
      text: lane.text,
      accessLog: lane.options.accessLog,
      isClosing: () => (this.#isClosing || lane.options.isDraining()) && !this.#hasRequestComing,
      onSent: this.#onSent,
    });
    // Not `onread`, which would spare a buffer per read: accepted sockets cannot have it.
    socket.on("data", this.#onData);
    socket.on("drain", this.#onSent);
    socket.on("end", this.#onEnd);
    socket.on("error", ignoreError); // "close" follows
    socket.on("close", this.#onClose);
  }

  /** Closes the connection now when nothing is going on, else after its last reply. */
  closeWhenIdle(): void {
    this.#isClosing = true;
    if (this.#isIdle) this.#socket.destroy();
  }

  closeNow(): void {
    this.#socket.destroy();
  }

  shed(): void {
    this.#isShedding = true;
    this.#readOn();
  }

  /** Ends what takes too long. To be called every now and then. */
  checkTime(nowMs: number): void {
    if (this.#replies.length > 0) {
      this.#idleSinceMs = undefined;
      return;
    }
    if (this.#begunMs !== undefined && !this.#socket.writableNeedDrain) {
      const hasHead = this.#arriving !== undefined || this.#skipBytes > 0;
      if (nowMs - this.#begunMs > (hasHead ? REQUEST_MS_MAX : HEAD_MS_MAX)) {
        answerClientError(new RequestTimeout(), this.#socket);
      }
      return;
    }
    this.#idleSinceMs ??= nowMs;
    // A client that does not read its replies gets the time of one that does not send.
    const limitMs = this.#socket.writableLength > 0 ? REQUEST_MS_MAX : KEEP_ALIVE_MS;
    if (nowMs - this.#idleSinceMs > limitMs) this.#socket.destroy();
  }

  get #isIdle(): boolean {
    return (
      this.#replies.length === 0 && !this.#hasRequestComing && this.#socket.writableLength === 0
    );
  }

  get #hasRequestComing(): boolean {
    return this.#arriving !== undefined || this.#skipBytes > 0 || this.#rest !== undefined;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#idleSinceMs = undefined;
    if (this.#state === "held") this.#socket.pause(); // the first part is enough to keep
    const arriving = this.#isReading ? this.#arriving : undefined;
    if (arriving !== undefined && chunk.length <= arriving.body.length - arriving.filledBytes) {
      this.#readBody(chunk, 0, arriving);
      freeMemory(chunk);
      return;
    }
    const rest = this.#rest;
    this.#rest = undefined;
    this.#read(rest === undefined ? chunk : Buffer.concat([rest, chunk]));
    // It ended with the begin of a body, which is copied by now, and no request before that one reads it any more.
    if (this.#arriving !== undefined && this.#replies.length === 0) freeMemory(chunk);
  };

  /** Replies have left, or the client has read them: there is room for more. */
  readonly #onSent = (): void => {
    this.#idleSinceMs = undefined;
    if (this.#socket.writableEnded) this.#abandon();
    if (this.#state === "leaving" && this.#replies.length === 0) this.#leave();
    else if (this.#state === "full" && !this.#isFull) this.#readOn();
  };

  /** Goes on with what has waited. */
  #readOn(): void {
    this.#state = "reading";
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined) this.#read(rest);
    if (this.#isReading && this.#socket.isPaused()) this.#socket.resume();
  }

  /** As Node's parser has it: a client that has ended its side waits for nothing any more. */
  readonly #onEnd = (): void => {
    this.#abandon();
    this.#socket.end();
  };

  readonly #onClose = (): void => {
    this.#abandon();
    this.#lane.onClosed(this);
  };

  #abandon(): void {
    if (this.#state === "closed") return;
    if (this.#state === "held") this.#lane.turn.forget(this);
    this.#state = "closed";
    this.#forgetArriving();
    this.#rest = undefined;
    if (this.#replies.length === 0) return;
    this.#replies.clear();
    this.#cancellation.cancel(
      new MillraceError("CANCELLED", "Cannot predict: the client has gone"),
    );
  }

  get #isFull(): boolean {
    return this.#replies.length >= PIPELINE_MAX || this.#socket.writableNeedDrain;
  }

  // Apart, since the state changes in calls that the compiler does not follow.
  get #isReading(): boolean {
    return this.#state === "reading";
  }

  #read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && this.#isReading) {
      if (this.#arriving !== undefined) at = this.#readBody(bytes, at, this.#arriving);
      else if (this.#skipBytes > 0) at = this.#skip(bytes, at);
      else at = this.#readHead(bytes, at);
    }
    if (this.#isReading || this.#state === "closed") return;
    this.#rest = bytes.subarray(at);
    if (this.#state === "held") return; // its client sends nothing more, as a rule: pausing would cost for nothing
    this.#socket.pause();
    if (this.#state === "leaving" && this.#replies.length === 0) this.#leave();
  }

  /** @returns the index behind what was understood; `at` when the connection reads no further. */
  #readHead(bytes: Buffer, at: number): number {
    if (this.#isFull) {
      this.#state = "full";
      return at;
    }
    if (!this.#mayBegin()) {
      this.#state = "held";
      return at;
    }
    const head = recogniseHead(bytes, at);
    if (head === "incomplete") {
      this.#begunMs ??= this.#lane.options.clock.nowMs();
      this.#rest = Buffer.from(bytes.subarray(at));
      return bytes.length;
    }
    const next = head === "odd" ? undefined : this.#begin(head, bytes, at);
    this.#isShedding = false;
    if (next !== undefined) return next;
    this.#state = "leaving";
    return at;
  }

  /** Is the next request to be read now, be it to be refused? Otherwise it is held. */
  #mayBegin(): boolean {
    const { turn } = this.#lane;
    if (this.#isShedding || turn.begins()) return true;
    this.#isShedding = !turn.hold(this);
    return this.#isShedding;
  }

  /** @returns the index behind what was understood; undefined when the request is not for the lane. */
  #begin(head: PlainHead, bytes: Buffer, from: number): number | undefined {
    const { options, paths } = this.#lane;
    const { values, contentLength } = head;
    const path = paths.find(head.path);
    if (path === undefined || contentLength > options.bodyBytesMax) return undefined;
    if (!isPlainMediaType(headerValue(values, "content-type"))) return undefined;
    if (!this.#isAllowed(headerValue(values, "authorization"))) return undefined;

    const bodyStart = from + head.byteLength;
    if (this.#isRefused(path)) {
      this.#skipBytes = contentLength;
      return bodyStart;
    }
    const requestId = requestIdOf(headerValue(values, "x-request-id"));
    const receivedMs = options.clock.nowMs();
    const request = {
      path,
      values,
      requestId,
      receivedMs,
      caller: this.#caller,
      head: options.needsHead(path) ? bytes.toString("latin1", from, bodyStart) : undefined,
    };
    const bodyEnd = bodyStart + contentLength;
    const jsonBytes = headerValue(values, "inference-header-content-length");
    if (bodyEnd <= bytes.length && jsonBytes === undefined) {
      this.#begunMs = undefined;
      this.#answer(request, bytes.subarray(bodyStart, bodyEnd));
      return bodyEnd;
    }
    if (this.#lane.arrivingBytes + contentLength > ARRIVING_BYTES_MAX) return undefined;
    this.#begunMs ??= receivedMs;
    this.#lane.arrivingBytes += contentLength;
    this.#arriving = { request, body: bodyBuffer(contentLength, jsonBytes), filledBytes: 0 };
    return bodyStart;
  }

  /** Refuses a request, if it is to be refused, before its body is read. */
  #isRefused(path: HotPath): boolean {
    const { options, text, turn } = this.#lane;
    const refusal = this.#isShedding ? options.shed(path) : options.admit(path);
    if (refusal === undefined) return false;
    if (!this.#isShedding) turn.refused();
    this.#replies.fill(this.#replies.enter(undefined), text.prebuilt(refusal));
    return true;
  }

  #readBody(bytes: Buffer, from: number, arriving: Arriving): number {
    const { request, body } = arriving;
    const count = Math.min(bytes.length - from, body.length - arriving.filledBytes);
    bytes.copy(body, arriving.filledBytes, from, from + count);
    arriving.filledBytes += count;
    if (arriving.filledBytes === body.length) {
      this.#forgetArriving();
      this.#begunMs = undefined;
      this.#answer(request, body);
    }
    return from + count;
  }

  #forgetArriving(): void {
    this.#lane.arrivingBytes -= this.#arriving?.body.length ?? 0;
    this.#arriving = undefined;
  }

  #skip(bytes: Buffer, from: number): number {
    const count = Math.min(bytes.length - from, this.#skipBytes);
    this.#skipBytes -= count;
    if (this.#skipBytes === 0) this.#begunMs = undefined;
    return from + count;
  }

  /** Who may not call is told so by Fastify's guards, which know why. */
  #isAllowed(authorization: string | undefined): boolean {
    if (authorization !== undefined && authorization === this.#authorization) return true;
    try {
      this.#caller = this.#lane.options.auth.check(authorization, "infer");
    } catch {
      return false;
    }
    this.#authorization = authorization;
    return true;
  }

  #answer(request: LaneRequest, body: Uint8Array): void {
    const { bodyBytesMax } = this.#lane.options;
    const exchange = new LaneExchange(request, body, bodyBytesMax, this.#cancellation);
    const place = this.#replies.enter(exchange);
    void request.path.route.handler(exchange).then(
      (answer) => {
        if (this.#state !== "closed") this.#replies.fill(place, answer);
      },
      (error: unknown) => this.#fail(exchange, place, error),
    );
  }

  #fail(exchange: LaneExchange, place: ReplyPlace, error: unknown): void {
    const known = knownError(error);
    const { requestId, predictionId, path } = exchange;
    const failed = { requestId, predictionId, url: path.route.url };
    const answer = problemAnswer(known, failed, this.#lane.options.log);
    if (this.#state !== "closed") this.#replies.fill(place, answer, known.code);
  }

  /** Everything was answered: from here on the socket is as if nobody had read from it. */
  #leave(): void {
    const socket = this.#socket;
    socket.off("data", this.#onData);
    socket.off("drain", this.#onSent);
    socket.off("end", this.#onEnd);
    socket.off("error", ignoreError);
    socket.off("close", this.#onClose);
    if (this.#rest !== undefined && this.#rest.length > 0) socket.unshift(this.#rest);
    this.#rest = undefined;
    this.#lane.handOver(socket, this);
    socket.resume();
  }
}

function ignoreError(): void {}

/** What Node's parser says of a request that takes too long. */
class RequestTimeout extends Error {
  readonly code = "ERR_HTTP_REQUEST_TIMEOUT";
}
