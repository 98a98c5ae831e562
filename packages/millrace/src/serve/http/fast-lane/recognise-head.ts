import { HEADER_NAMES, type HeaderName } from "../exchange.ts";

/** A request head of the plain form. */
export interface PlainHead {
  /** Letters, digits and `-._~` between slashes: nothing encoded, no query. */
  readonly path: string;
  /** Above zero. */
  readonly contentLength: number;
  /** Bytes of the head, with the empty line that ends it. */
  readonly byteLength: number;
  readonly values: HeaderValues;
}

/** Values by place in `HEADER_NAMES`. */
export type HeaderValues = readonly (string | undefined)[];

/** Longest head that is recognised. */
export const HEAD_BYTES_MAX = 8_192;

/**
 * Recognises the head of a request in the plain form:
 *
 * ```
 * POST <path> HTTP/1.1 CR LF
 * <name>: <value> CR LF        one space, printable ASCII; names that are read stand once
 * CR LF
 * ```
 *
 * with one `host` and one `content-length`. This is no parser of HTTP: it has no rule for anything else and
 * calls it odd. Who knows the rules is Node's parser.
 *
 * @param from first byte of the request in `bytes`, where there is at least one.
 * @returns "incomplete" when the end is missing and nothing odd has come yet.
 */
export function recogniseHead(bytes: Buffer, from: number): PlainHead | "incomplete" | "odd" {
  const end = findEnd(bytes, from);
  if (end < 0) return isPlainStart(bytes, from) ? "incomplete" : "odd";
  if (!startsWith(bytes, from, METHOD)) return "odd";
  const pathStart = from + METHOD.length;
  let pathEnd = pathStart;
  while (IS_PATH[bytes[pathEnd] as number] === 1) pathEnd++;
  if (bytes[pathStart] !== SLASH || !startsWith(bytes, pathEnd, PROTOCOL)) return "odd";
  const lines = new HeaderLines(bytes);
  let at = pathEnd + PROTOCOL.length;
  while (bytes[at] !== CR) {
    at = lines.read(at);
    if (at < 0) return "odd";
  }
  const { values, contentLength, hasHost } = lines;
  if (at + 2 !== end || contentLength <= 0 || !hasHost) return "odd";
  const path = bytes.toString("latin1", pathStart, pathEnd);
  return { path, contentLength, byteLength: end - from, values };
}

/** @returns the value of `name`. */
export function headerValue(values: HeaderValues, name: HeaderName): string | undefined {
  return values[SLOTS[name]];
}

const LF = 10;
const CR = 13;
const SPACE = 32;
const SLASH = 47;
const ZERO = 48;
const COLON = 58;
const UPPER_A = 65;
const UPPER_Z = 90;
const TO_LOWER = 32;
const METHOD = Buffer.from("POST ");
const PROTOCOL = Buffer.from(" HTTP/1.1\r\n");
const KEEP_ALIVE = Buffer.from("keep-alive");

const SLOTS = Object.fromEntries(HEADER_NAMES.map((name, slot) => [name, slot])) as Readonly<
  Record<HeaderName, number>
>;

/** A header name that means something here. */
interface KnownName {
  readonly text: Uint8Array;
  /** Place in `HEADER_NAMES`, or one of the roles below. */
  readonly slot: number;
}

const UNKNOWN = -1;
const HOST = -2;
const CONTENT_LENGTH = -3;
const CONNECTION = -4;
const ODD = -5;

/** Names that frame the message otherwise, ask for an answer in between, or come from a web page. */
const ODD_NAMES = ["transfer-encoding", "expect", "upgrade", "origin"];

/** Longest of the known names. */
const NAME_BYTES_MAX = 31;

/** By length of the name. */
const KNOWN_NAMES = namesByLength([
  ...HEADER_NAMES.map((name, slot) => [name, slot] as const),
  ["host", HOST],
  ["content-length", CONTENT_LENGTH],
  ["connection", CONNECTION],
  ...ODD_NAMES.map((name) => [name, ODD] as const),
]);

/** 1 for bytes of a path; the token characters of a header name; printable ASCII of a value. */
const IS_PATH = byteSet(/[A-Za-z0-9._~/-]/);
const IS_NAME = byteSet(/[A-Za-z0-9!#$%&'*+.^_`|~-]/);
const IS_VALUE = byteSet(/[ -~]/);

const NO_VALUES: readonly undefined[] = HEADER_NAMES.map(() => undefined);

/** Digits of a length that a double counts exactly. */
const LENGTH_DIGITS_MAX = 15;

/** @returns the index behind the first empty line; negative when there is none within `HEAD_BYTES_MAX`. */
function findEnd(bytes: Buffer, from: number): number {
  const end = Math.min(bytes.length, from + HEAD_BYTES_MAX);
  // `at` is where the last of the four bytes might be; what cannot be any of them lets it pass all four.
  for (let at = from + 3; at < end;) {
    const byte = bytes[at] as number;
    if (byte > CR) at += 4;
    else if (byte !== LF) at++;
    else if (bytes[at - 1] === CR && bytes[at - 2] === LF && bytes[at - 3] === CR) return at + 1;
    else at += 2;
  }
  return -1;
}

/** Could plain bytes follow? What can no longer become plain must not wait for its end. */
function isPlainStart(bytes: Buffer, from: number): boolean {
  const length = bytes.length - from;
  if (length >= HEAD_BYTES_MAX) return false;
  for (let i = 0; i < Math.min(length, METHOD.length); i++) {
    if (bytes[from + i] !== METHOD[i]) return false;
  }
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    const isPlain = byte === LF ? bytes[at - 1] === CR : byte === CR || IS_VALUE[byte] === 1;
    if (!isPlain) return false;
  }
  return true;
}

/** What the header lines of one request say. */
class HeaderLines {
  readonly #bytes: Buffer;
  readonly values: (string | undefined)[] = NO_VALUES.slice();
  /** 0 as long as none was seen. */
  contentLength = 0;
  hasHost = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Reads the line at `from`. @returns the index behind it; negative when it is odd. */
  read(from: number): number {
    const bytes = this.#bytes;
    let nameEnd = from;
    while (IS_NAME[bytes[nameEnd] as number] === 1) nameEnd++;
    if (nameEnd === from || bytes[nameEnd] !== COLON || bytes[nameEnd + 1] !== SPACE) return -1;
    const start = nameEnd + 2;
    let end = start;
    while (IS_VALUE[bytes[end] as number] === 1) end++;
    if (end === start || bytes[end] !== CR || bytes[end + 1] !== LF) return -1;
    if (bytes[start] === SPACE || bytes[end - 1] === SPACE) return -1;
    const slot = findSlot(bytes, from, nameEnd);
    return this.#keep(slot, start, end) ? end + 2 : -1;
  }

  /** @returns false when the value is odd or stands twice. */
  #keep(slot: number, start: number, end: number): boolean {
    switch (slot) {
      case UNKNOWN:
        return true;
      case HOST:
        if (this.hasHost) return false;
        this.hasHost = true;
        return true;
      case CONTENT_LENGTH:
        if (this.contentLength !== 0) return false;
        this.contentLength = readLength(this.#bytes, start, end);
        return this.contentLength > 0;
      case CONNECTION:
        return isText(this.#bytes, start, end, KEEP_ALIVE);
      case ODD:
        return false;
      default:
        if (this.values[slot] !== undefined) return false;
        this.values[slot] = this.#bytes.toString("latin1", start, end);
        return true;
    }
  }
}

/** @returns what the name stands for. */
function findSlot(bytes: Buffer, start: number, end: number): number {
  const candidates = KNOWN_NAMES[end - start];
  if (candidates === undefined) return UNKNOWN;
  for (const { text, slot } of candidates) {
    if (isText(bytes, start, end, text)) return slot;
  }
  return UNKNOWN;
}

/** Is this `text`, which is in lower case, in any case? */
function isText(bytes: Buffer, start: number, end: number, text: Uint8Array): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) {
    const byte = bytes[start + i] as number;
    const lower = byte >= UPPER_A && byte <= UPPER_Z ? byte + TO_LOWER : byte;
    if (lower !== text[i]) return false;
  }
  return true;
}

function startsWith(bytes: Buffer, from: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text[i]) return false;
  return true;
}

/** @returns −1 when it is anything but digits, or too many. */
function readLength(bytes: Buffer, start: number, end: number): number {
  if (end - start > LENGTH_DIGITS_MAX) return -1;
  let length = 0;
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] as number) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

function byteSet(member: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) =>
    byte < 128 && member.test(String.fromCharCode(byte)) ? 1 : 0,
  );
}

function namesByLength(names: readonly (readonly [string, number])[]): readonly KnownName[][] {
  const byLength: KnownName[][] = Array.from({ length: NAME_BYTES_MAX + 1 }, () => []);
  for (const [name, slot] of names) byLength[name.length]?.push({ text: Buffer.from(name), slot });
  return byLength;
}
