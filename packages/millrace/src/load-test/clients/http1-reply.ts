import { Http1Head } from "./http1-head.ts";
import { hexadecimal, isBlank } from "./read-ascii.ts";

/** What an answer looks like so far. `broken`: it cannot be HTTP/1.1; `problem` says why. */
export type ReplyState = "more" | "done" | "broken";

/** Status line and headers, those of interim answers and trailers too. */
const HEAD_BYTES_MAX = 65_536;
/** Digits of a size that stays exact. */
const CHUNK_SIZE_DIGITS_MAX = 13;
const LF = 0x0a;
const CR = 0x0d;
const SEMICOLON = 0x3b;
const NO_BYTES = new Uint8Array(0);

/** What the bytes that come next belong to. */
type Part =
  | "status"
  | "headers"
  | "body"
  | "chunk-size"
  | "chunk"
  | "chunk-end"
  | "trailers"
  /** The body ends with the connection. */
  | "rest"
  | "done"
  | "broken";

/**
 * Reads the answers of one connection, one after the other, in whatever pieces they come: as much of them as it takes
 * to know their status, where they end, and whether the connection stays. Bodies are counted and not kept.
 */
export class Http1Reply {
  readonly head = new Http1Head();
  /** Of the body, without what chunks are wrapped in. */
  bodyBytes = 0;
  /** Why it is broken. */
  problem = "";
  #part: Part = "done";
  #isHead = false;
  /** Bytes of the body or a chunk that are still to come. */
  #left = 0;
  #headBytes = 0;
  /** Begin of a line whose end has not come. */
  #partial: Uint8Array = NO_BYTES;

  /** A request has been sent. @param isHead its method is HEAD: whatever the head says, no body comes. */
  begin(isHead: boolean): void {
    this.#isHead = isHead;
    this.#headBytes = 0;
    this.#partial = NO_BYTES;
    this.bodyBytes = 0;
    this.#beginHead();
  }

  /** @param end of what has come; bytes behind the end of the answer make it broken. */
  read(bytes: Uint8Array, end: number): ReplyState {
    let at = 0;
    while (at < end) {
      switch (this.#part) {
        case "body":
        case "chunk":
          at = this.#readBody(at, end);
          break;
        case "rest":
          this.bodyBytes += end - at;
          at = end;
          break;
        case "done":
          this.#break("more came than it has bytes");
          break;
        case "broken":
          return "broken";
        default:
          at = this.#readLine(bytes, at, end);
      }
    }
    return this.#state();
  }

  /** The server has ended the connection. @returns whether the answer is whole. */
  end(): ReplyState {
    if (this.#part === "rest") this.#part = "done";
    return this.#state();
  }

  #state(): ReplyState {
    return this.#part === "done" || this.#part === "broken" ? this.#part : "more";
  }

  #beginHead(): void {
    this.#part = "status";
    this.head.begin();
  }

  #break(problem: string): void {
    this.#part = "broken";
    this.problem = problem;
  }

  #readBody(at: number, end: number): number {
    const count = Math.min(this.#left, end - at);
    this.#left -= count;
    this.bodyBytes += count;
    if (this.#left === 0) this.#part = this.#part === "chunk" ? "chunk-end" : "done";
    return at + count;
  }

  /** @returns where the next line begins, or `end` when this one goes on there. */
  #readLine(bytes: Uint8Array, at: number, end: number): number {
    let lf = at;
    while (lf < end && bytes[lf] !== LF) lf++;
    if (this.#part !== "chunk-size" && this.#part !== "chunk-end") this.#headBytes += lf - at;
    if (this.#partial.length + lf - at > HEAD_BYTES_MAX || this.#headBytes > HEAD_BYTES_MAX) {
      this.#break(`its head is longer than ${HEAD_BYTES_MAX} bytes`);
      return end;
    }
    if (lf === end || this.#partial.length > 0) {
      const line = joined(this.#partial, bytes, at, lf);
      this.#partial = lf === end ? line : NO_BYTES;
      if (lf < end) this.#takeLine(line, 0, line.length);
    } else {
      this.#takeLine(bytes, at, lf);
    }
    return Math.min(lf + 1, end);
  }

  /** @param lf where its LF is, or would be. */
  #takeLine(bytes: Uint8Array, from: number, lf: number): void {
    const to = lf > from && bytes[lf - 1] === CR ? lf - 1 : lf;
    const isEmpty = to === from;
    switch (this.#part) {
      case "status":
        this.#takeHeadLine(this.head.takeStatus(bytes, from, to));
        break;
      case "headers":
        if (isEmpty) this.#endHead();
        else this.#takeHeadLine(this.head.takeHeader(bytes, from, to));
        break;
      case "chunk-size":
        this.#takeChunkSize(bytes, from, to);
        break;
      case "chunk-end":
        if (isEmpty) this.#part = "chunk-size";
        else this.#break("a chunk is longer than its size");
        break;
      default:
        // Trailers, up to an empty line.
        if (isEmpty) this.#part = "done";
    }
  }

  #takeHeadLine(problem: string): void {
    if (problem === "") this.#part = "headers";
    else this.#break(problem);
  }

  #endHead(): void {
    const { status, length, isChunked } = this.head;
    if (status === 101) {
      this.#break("101 Switching Protocols was not asked for");
    } else if (status < 200) {
      this.#beginHead();
    } else if (this.#isHead || status === 204 || status === 304) {
      this.#part = "done";
    } else if (isChunked) {
      this.#part = "chunk-size";
    } else if (length >= 0) {
      this.#left = length;
      this.#part = length === 0 ? "done" : "body";
    } else {
      this.#part = "rest";
      this.head.isKeptAlive = false;
    }
  }

  #takeChunkSize(bytes: Uint8Array, from: number, to: number): void {
    let end = from;
    while (end < to && bytes[end] !== SEMICOLON && !isBlank(bytes[end]!)) end++;
    const size = end - from <= CHUNK_SIZE_DIGITS_MAX ? hexadecimal(bytes, from, end) : -1;
    if (size < 0) return this.#break("the size of a chunk is no number");
    this.#left = size;
    this.#part = size === 0 ? "trailers" : "chunk";
  }
}

function joined(begin: Uint8Array, bytes: Uint8Array, from: number, to: number): Uint8Array {
  const whole = new Uint8Array(begin.length + to - from);
  whole.set(begin);
  whole.set(bytes.subarray(from, to), begin.length);
  return whole;
}
