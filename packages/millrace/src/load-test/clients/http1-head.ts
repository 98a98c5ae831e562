import {
  afterBlanks,
  asciiOf,
  beforeBlanks,
  isDigit,
  isWord,
  smallText,
  wholeNumber,
} from "./read-ascii.ts";

/** Digits of a length that stays exact. */
const LENGTH_DIGITS_MAX = 15;

const COLON = 0x3a;
const SPACE = 0x20;
const ZERO = 0x30;
/** Makes a letter small. */
const SMALL = 0x20;

const HTTP_1 = asciiOf("HTTP/1.");
const CONTENT_LENGTH = asciiOf("content-length");
const CONNECTION = asciiOf("connection");
const KEEP_ALIVE = asciiOf("keep-alive");
const TIMEOUT = asciiOf("timeout=");
const TRANSFER_ENCODING = asciiOf("transfer-encoding");

/** What the head of an answer says of its end and of the connection; its lines come one by one. */
export class Http1Head {
  status = 0;
  /** Of the body; −1 where no line names it. */
  length = -1;
  isChunked = false;
  /** The server lets the connection be used again. */
  isKeptAlive = false;
  /** How long the server keeps an idle connection, as it says itself; Infinity where it does not. */
  idleMsMax = Infinity;

  begin(): void {
    this.status = 0;
    this.length = -1;
    this.isChunked = false;
    this.isKeptAlive = false;
    this.idleMsMax = Infinity;
  }

  /** @returns what is wrong with the line; "" where nothing is. */
  takeStatus(bytes: Uint8Array, from: number, to: number): string {
    const minor = bytes[from + 7] ?? 0;
    const status = to - from >= 12 ? wholeNumber(bytes, from + 9, from + 12) : -1;
    const isHttp = isWord(bytes, from, HTTP_1) && isDigit(minor) && bytes[from + 8] === SPACE;
    if (!isHttp || status < 100) return "it is no HTTP/1.1";
    this.status = status;
    this.isKeptAlive = minor > ZERO;
    return "";
  }

  /**
   * Knows a header by its first letter and its length: few are looked at twice.
   * @returns what is wrong with the line; "" where nothing is.
   */
  takeHeader(bytes: Uint8Array, from: number, to: number): string {
    const letter = bytes[from]! | SMALL;
    if (letter === CONTENT_LENGTH[0] && isHeader(bytes, from, CONTENT_LENGTH)) {
      return this.#takeLength(bytes, from + CONTENT_LENGTH.length + 1, to);
    }
    if (letter === CONNECTION[0] && isHeader(bytes, from, CONNECTION)) {
      this.#takeConnection(bytes, from + CONNECTION.length + 1, to);
    } else if (letter === KEEP_ALIVE[0] && isHeader(bytes, from, KEEP_ALIVE)) {
      this.#takeKeepAlive(bytes, from + KEEP_ALIVE.length + 1, to);
    } else if (letter === TRANSFER_ENCODING[0] && isHeader(bytes, from, TRANSFER_ENCODING)) {
      const codings = smallText(bytes, from + TRANSFER_ENCODING.length + 1, to);
      this.isChunked = codings.endsWith("chunked");
    }
    return "";
  }

  #takeLength(bytes: Uint8Array, from: number, to: number): string {
    const [start, end] = [afterBlanks(bytes, from, to), beforeBlanks(bytes, from, to)];
    const length = end - start <= LENGTH_DIGITS_MAX ? wholeNumber(bytes, start, end) : -1;
    const isOther = this.length >= 0 && this.length !== length;
    this.length = length;
    return length < 0 || isOther ? "its content-length is no number" : "";
  }

  #takeConnection(bytes: Uint8Array, from: number, to: number): void {
    const start = afterBlanks(bytes, from, to);
    if (to - start === KEEP_ALIVE.length && isWord(bytes, start, KEEP_ALIVE)) {
      this.isKeptAlive = true;
      return;
    }
    const options = smallText(bytes, start, to)
      .split(",")
      .map((option) => option.trim());
    if (options.includes("close")) this.isKeptAlive = false;
    else if (options.includes("keep-alive")) this.isKeptAlive = true;
  }

  #takeKeepAlive(bytes: Uint8Array, from: number, to: number): void {
    const start = afterBlanks(bytes, from, to);
    if (!isWord(bytes, start, TIMEOUT)) return;
    let end = start + TIMEOUT.length;
    while (end < to && isDigit(bytes[end]!)) end++;
    const seconds = wholeNumber(bytes, start + TIMEOUT.length, end);
    if (seconds >= 0) this.idleMsMax = seconds * 1000;
  }
}

function isHeader(bytes: Uint8Array, from: number, name: Uint8Array): boolean {
  return bytes[from + name.length] === COLON && isWord(bytes, from, name);
}
