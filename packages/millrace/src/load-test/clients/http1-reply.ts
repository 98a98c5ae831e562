/** What an answer looks like so far. `broken`: it cannot be HTTP/1.1; `problem` says why. */
export type ReplyState = "more" | "done" | "broken";

/** Status line and headers, those of interim answers and trailers too. */
const HEAD_BYTES_MAX = 65_536;
/** Digits of a length that stays exact. */
const LENGTH_DIGITS_MAX = 15;
const CHUNK_SIZE_DIGITS_MAX = 13;

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
/** Makes a letter small; digits, hyphen and blanks stay. */
const LOWER_CASE = 0x20;
const NO_BYTES = new Uint8Array(0);

const HTTP_1 = bytesOf("HTTP/1.");
const CONTENT_LENGTH = bytesOf("content-length");
const CONNECTION = bytesOf("connection");
const KEEP_ALIVE = bytesOf("keep-alive");
const TIMEOUT = bytesOf("timeout=");
const TRANSFER_ENCODING = bytesOf("transfer-encoding");

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
  status = 0;
  /** Of the body, without what chunks are wrapped in. */
  bodyBytes = 0;
  /** The server lets the connection be used again. */
  isKeptAlive = false;
  /** How long the server keeps an idle connection, as it says itself; Infinity where it does not. */
  idleMsMax = Infinity;
  /** Why it is broken. */
  problem = "";
  #part: Part = "done";
  #isHead = false;
  /** Of the body or a chunk, still to come; −1 where the head names no length. */
  #left = -1;
  #isChunked = false;
  #headBytes = 0;
  /** Begin of a line whose end has not come. */
  #partial: Uint8Array = NO_BYTES;

  /** A request has been sent. @param isHead its method is HEAD: whatever the head says, no body comes. */
  begin(isHead: boolean): void {
    this.#isHead = isHead;
    this.#headBytes = 0;
    this.#partial = NO_BYTES;
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
    this.#left = -1;
    this.#isChunked = false;
    this.status = 0;
    this.bodyBytes = 0;
    this.idleMsMax = Infinity;
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
      this.#partial = joined(this.#partial, bytes, at, lf);
      if (lf === end) return end;
      const line = this.#partial;
      this.#partial = NO_BYTES;
      this.#takeLine(line, 0, line.length);
    } else {
      this.#takeLine(bytes, at, lf);
    }
    return lf + 1;
  }

  /** @param lf where the line's last byte but CR ends. */
  #takeLine(bytes: Uint8Array, from: number, lf: number): void {
    const to = lf > from && bytes[lf - 1] === CR ? lf - 1 : lf;
    switch (this.#part) {
      case "status":
        this.#takeStatus(bytes, from, to);
        break;
      case "headers":
        if (to === from) this.#endHead();
        else this.#takeHeader(bytes, from, to);
        break;
      case "chunk-size":
        this.#takeChunkSize(bytes, from, to);
        break;
      case "chunk-end":
        if (to === from) this.#part = "chunk-size";
        else this.#break("a chunk is longer than its size");
        break;
      default:
        // Trailers, up to an empty line.
        if (to === from) this.#part = "done";
    }
  }

  #takeStatus(bytes: Uint8Array, from: number, to: number): void {
    const minor = bytes[from + 7] ?? 0;
    const status = to - from >= 12 ? digits(bytes, from + 9, from + 12) : -1;
    const isHttp = isSame(bytes, from, HTTP_1) && isDigit(minor) && bytes[from + 8] === SPACE;
    if (!isHttp || status < 100) return this.#break("it is no HTTP/1.1");
    this.status = status;
    this.isKeptAlive = minor > ZERO;
    this.#part = "headers";
  }

  /** By the length of its name and its first letter: few headers are looked at twice. */
  #takeHeader(bytes: Uint8Array, from: number, to: number): void {
    const letter = bytes[from]! | LOWER_CASE;
    if (letter === CONTENT_LENGTH[0] && isHeader(bytes, from, CONTENT_LENGTH)) {
      this.#takeLength(bytes, from + CONTENT_LENGTH.length + 1, to);
    } else if (letter === CONNECTION[0] && isHeader(bytes, from, CONNECTION)) {
      this.#takeConnection(bytes, from + CONNECTION.length + 1, to);
    } else if (letter === KEEP_ALIVE[0] && isHeader(bytes, from, KEEP_ALIVE)) {
      this.#takeKeepAlive(bytes, from + KEEP_ALIVE.length + 1, to);
    } else if (letter === TRANSFER_ENCODING[0] && isHeader(bytes, from, TRANSFER_ENCODING)) {
      const codings = textOf(bytes, from + TRANSFER_ENCODING.length + 1, to);
      this.#isChunked = codings.endsWith("chunked");
      this.#left = -1;
    }
  }

  #takeLength(bytes: Uint8Array, from: number, to: number): void {
    const [start, end] = [afterBlanks(bytes, from, to), beforeBlanks(bytes, from, to)];
    const length = end - start <= LENGTH_DIGITS_MAX ? digits(bytes, start, end) : -1;
    if (length < 0 || (this.#left >= 0 && this.#left !== length)) {
      this.#break("its content-length is no number");
    } else if (!this.#isChunked) {
      this.#left = length;
    }
  }

  #takeConnection(bytes: Uint8Array, from: number, to: number): void {
    const start = afterBlanks(bytes, from, to);
    if (to - start === KEEP_ALIVE.length && isSame(bytes, start, KEEP_ALIVE)) {
      this.isKeptAlive = true;
      return;
    }
    const options = textOf(bytes, start, to)
      .split(",")
      .map((option) => option.trim());
    if (options.includes("close")) this.isKeptAlive = false;
    else if (options.includes("keep-alive")) this.isKeptAlive = true;
  }

  #takeKeepAlive(bytes: Uint8Array, from: number, to: number): void {
    const start = afterBlanks(bytes, from, to);
    if (!isSame(bytes, start, TIMEOUT)) return;
    let end = start + TIMEOUT.length;
    while (end < to && isDigit(bytes[end]!)) end++;
    const seconds = digits(bytes, start + TIMEOUT.length, end);
    if (seconds >= 0) this.idleMsMax = seconds * 1000;
  }

  #endHead(): void {
    const { status } = this;
    if (status < 200) {
      if (status === 101) this.#break("101 Switching Protocols was not asked for");
      else this.#beginHead();
    } else if (this.#isHead || status === 204 || status === 304) {
      this.#part = "done";
    } else if (this.#isChunked) {
      this.#part = "chunk-size";
    } else if (this.#left >= 0) {
      this.#part = this.#left === 0 ? "done" : "body";
    } else {
      this.#part = "rest";
      this.isKeptAlive = false;
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

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function joined(begin: Uint8Array, bytes: Uint8Array, from: number, to: number): Uint8Array {
  const whole = new Uint8Array(begin.length + to - from);
  whole.set(begin);
  whole.set(bytes.subarray(from, to), begin.length);
  return whole;
}

/** Letters may be large. */
function isSame(bytes: Uint8Array, from: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i++) {
    if ((bytes[from + i]! | LOWER_CASE) !== (word[i]! | LOWER_CASE)) return false;
  }
  return true;
}

function isHeader(bytes: Uint8Array, from: number, name: Uint8Array): boolean {
  return bytes[from + name.length] === COLON && isSame(bytes, from, name);
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

function afterBlanks(bytes: Uint8Array, from: number, to: number): number {
  let start = from;
  while (start < to && isBlank(bytes[start]!)) start++;
  return start;
}

function beforeBlanks(bytes: Uint8Array, from: number, to: number): number {
  let end = to;
  while (end > from && isBlank(bytes[end - 1]!)) end--;
  return end;
}

/** Trimmed, in small letters. */
function textOf(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.subarray(from, to)).toString("latin1").trim().toLowerCase();
}

/** @returns −1 where there is none, or anything else. */
function digits(bytes: Uint8Array, from: number, to: number): number {
  let value = from < to ? 0 : -1;
  for (let at = from; at < to; at++) {
    if (!isDigit(bytes[at]!)) return -1;
    value = value * 10 + bytes[at]! - ZERO;
  }
  return value;
}

/** @returns −1 where there is none, or anything else. */
function hexadecimal(bytes: Uint8Array, from: number, to: number): number {
  const text = textOf(bytes, from, to);
  return /^[0-9a-f]+$/.test(text) ? Number.parseInt(text, 16) : -1;
}
