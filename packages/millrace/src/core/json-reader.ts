import { MillraceError } from "./errors.ts";
import { NumberScanner } from "./json-number.ts";
import type { JsonValue } from "./json.ts";

/** Deepest nesting of arrays and objects: deeper bodies are refused, not recursed into. */
export const JSON_DEPTH_MAX = 100;

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** No byte: the body ends here. */
const END = -1;

/** Longest whole number that is read exactly: as many digits as the largest double has. */
const INTEGER_DIGITS_MAX = 309;

/** Storage that numbers can be read into. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array;

export type JsonKind = "object" | "array" | "string" | "number" | "true" | "false" | "null";

/**
 * Reads JSON (RFC 8259) from UTF-8 bytes, value by value, without building a tree. Unlike `JSON.parse` it
 * keeps whole numbers beyond 2^53 exact, refuses duplicate keys where an object is read as a value, bounds
 * nesting, and lets a tensor be packed while it is read.
 *
 * Every method throws INVALID_JSON, with the byte offset, when the text is not JSON.
 */
export class JsonReader {
  readonly #bytes: Uint8Array;
  readonly #number = new NumberScanner();
  #offset = 0;
  #latin1: string | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.#offset = 3;
  }

  /** Bytes read so far; give it to `seek` to read a value again. */
  get offset(): number {
    return this.#offset;
  }

  seek(offset: number): void {
    this.#offset = offset;
  }

  /** Kind of the next value, which stays unread. */
  peek(): JsonKind {
    const byte = this.#next();
    switch (byte) {
      case OPEN_OBJECT:
        return "object";
      case OPEN_ARRAY:
        return "array";
      case QUOTE:
        return "string";
      case 0x74:
        return "true";
      case 0x66:
        return "false";
      case 0x6e:
        return "null";
      default:
        if (byte === MINUS || (byte >= ZERO && byte <= NINE)) return "number";
        throw this.#unexpected("a value");
    }
  }

  #expect(byte: number, what: string): void {
    if (this.#next() !== byte) throw this.#unexpected(what);
    this.#offset++;
  }

  enterObject(): void {
    this.#expect(OPEN_OBJECT, '"{"');
  }

  /**
   * Reads the next key and its colon.
   * @param isFirst is nothing of the object read yet?
   * @returns undefined after the last member, when `}` has been read.
   */
  nextKey(isFirst: boolean): string | undefined {
    const byte = this.#next();
    if (byte === CLOSE_OBJECT) {
      this.#offset++;
      return undefined;
    }
    if (!isFirst) {
      if (byte !== COMMA) throw this.#unexpected('"," or "}"');
      this.#offset++;
    }
    if (this.#next() !== QUOTE) throw this.#unexpected('a key in quotes or "}"');
    const key = this.readString();
    this.#expect(COLON, '":"');
    return key;
  }

  enterArray(): void {
    this.#expect(OPEN_ARRAY, '"["');
  }

  /**
   * Moves to the next element.
   * @returns false after the last one, when `]` has been read.
   */
  nextElement(isFirst: boolean): boolean {
    const byte = this.#next();
    if (byte === CLOSE_ARRAY) {
      this.#offset++;
      return false;
    }
    if (isFirst) return true;
    if (byte !== COMMA) throw this.#unexpected('"," or "]"');
    this.#offset++;
    return true; // a "]" here is no value: reading it fails
  }

  readNull(): null {
    this.#literal("null");
    return null;
  }

  readBoolean(): boolean {
    const value = this.#next() === 0x74;
    this.#literal(value ? "true" : "false");
    return value;
  }

  #literal(word: string): void {
    for (let i = 0; i < word.length; i++) {
      if (this.#bytes[this.#offset + i] !== word.charCodeAt(i)) throw this.#unexpected(word);
    }
    this.#offset += word.length;
  }

  readString(): string {
    this.#expect(QUOTE, "a string");
    const start = this.#offset;
    const bytes = this.#bytes;
    let isPlain = true;
    for (let at = start; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        this.#offset = at + 1;
        return isPlain ? asciiText(bytes, start, at) : this.#decodeString(start, at);
      }
      if (byte < 0x20) {
        this.#offset = at;
        throw this.#unexpected("an escaped control character");
      }
      if (byte === BACKSLASH) {
        isPlain = false;
        at++;
      } else if (byte > 0x7e) isPlain = false;
    }
    this.#offset = bytes.length;
    throw this.#unexpected("a closing quote");
  }

  /** Escapes and non-ASCII text are rare: the platform's own parser decodes them. */
  #decodeString(start: number, end: number): string {
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
        this.#bytes.subarray(start, end),
      );
      return JSON.parse(`"${text}"`) as string; // text between two quotes parses to a string or throws
    } catch {
      this.#offset = start;
      throw this.#error(
        `Cannot parse JSON: the string at byte ${start} is not valid UTF-8 or JSON`,
      );
    }
  }

  /** @returns the double nearest to the number's text; ±Infinity when it is beyond all doubles. */
  readNumber(): number {
    const start = this.#scanNumber();
    return this.#number.toDouble() ?? Number(this.#text(start, this.#offset));
  }

  /**
   * Reads numbers of an array into `target` from `index` on: the fast way through a tensor. Call it where an
   * element stands. It stops when `target` is full, and before the first element that is no number or that
   * `target` cannot hold: too large, or a fraction in whole numbers. Rounding to FP32 is no such loss.
   * @returns the index behind the last one read.
   */
  readNumbers(target: NumberArray, index: number): number {
    const isSingle = target instanceof Float32Array;
    const isWhole = !isSingle && !(target instanceof Float64Array);
    let at = index;
    for (; at < target.length; at++) {
      const start = this.#offset;
      if (at > index && !this.#skipComma()) return this.#stopAt(start, at);
      const byte = this.#next();
      if (byte !== MINUS && (byte < ZERO || byte > NINE)) return this.#stopAt(start, at);
      const value = isSingle ? this.#readSingle() : this.readNumber();
      target[at] = value;
      const stored = target[at] as number;
      if (isWhole ? stored !== value : !Number.isFinite(stored)) return this.#stopAt(start, at);
    }
    return at;
  }

  #stopAt(offset: number, index: number): number {
    this.#offset = offset;
    return index;
  }

  #skipComma(): boolean {
    if (this.#next() !== COMMA) return false;
    this.#offset++;
    return true;
  }

  /** A number that `Math.fround` rounds as it would the nearest double. */
  #readSingle(): number {
    const start = this.#scanNumber();
    return this.#number.toSingle() ?? Number(this.#text(start, this.#offset));
  }

  /** @returns the exact whole number; undefined when it has a fraction, or is longer than any double. */
  readInteger(): bigint | undefined {
    const start = this.#scanNumber();
    const isShort = this.#offset - start <= INTEGER_DIGITS_MAX;
    if (this.#number.isInteger && isShort) return BigInt(this.#text(start, this.#offset));
    const value = this.#number.toDouble() ?? Number(this.#text(start, this.#offset));
    return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  }

  /** Moves past a number; @returns its start. */
  #scanNumber(): number {
    this.#next();
    const start = this.#offset;
    const isNumber = this.#number.scan(this.#bytes, start);
    this.#offset = this.#number.end;
    if (!isNumber) throw this.#unexpected("a digit");
    return start;
  }

  /** Reads any value. Whole numbers beyond 2^53 become bigint; objects have no prototype. */
  readValue(depth = 0): JsonValue {
    switch (this.peek()) {
      case "object":
        return this.#readObject(depth);
      case "array": {
        const elements: JsonValue[] = [];
        this.#checkDepth(depth);
        this.enterArray();
        while (this.nextElement(elements.length === 0)) elements.push(this.readValue(depth + 1));
        return elements;
      }
      case "string":
        return this.readString();
      case "number":
        return this.#readExactNumber();
      case "null":
        return this.readNull();
      case "true":
      case "false":
        return this.readBoolean();
    }
  }

  #readObject(depth: number): JsonValue {
    const members: Record<string, JsonValue> = Object.create(null) as Record<string, JsonValue>;
    this.#checkDepth(depth);
    this.enterObject();
    for (let isFirst = true; ; isFirst = false) {
      const key = this.nextKey(isFirst);
      if (key === undefined) return members;
      if (key in members) {
        throw this.#error(`Cannot parse JSON: the key ${JSON.stringify(key)} stands twice`);
      }
      members[key] = this.readValue(depth + 1);
    }
  }

  #readExactNumber(): number | bigint {
    const start = this.#scanNumber();
    const text = (): string => this.#text(start, this.#offset);
    const value = this.#number.toDouble() ?? Number(text());
    if (!this.#number.isInteger || Number.isSafeInteger(value) || !Number.isFinite(value)) {
      return value;
    }
    return BigInt(text());
  }

  /** Moves past the next value, checking only its grammar. */
  skipValue(depth = 0): void {
    switch (this.peek()) {
      case "object":
        this.#checkDepth(depth);
        this.enterObject();
        for (let isFirst = true; this.nextKey(isFirst) !== undefined; isFirst = false) {
          this.skipValue(depth + 1);
        }
        return;
      case "array":
        this.#checkDepth(depth);
        this.enterArray();
        for (let isFirst = true; this.nextElement(isFirst); isFirst = false) {
          this.skipValue(depth + 1);
        }
        return;
      case "string":
        this.readString();
        return;
      case "number":
        this.#scanNumber();
        return;
      case "null":
        this.readNull();
        return;
      case "true":
      case "false":
        this.readBoolean();
    }
  }

  /** Nothing but white space may follow. */
  end(): void {
    if (this.#next() !== END) throw this.#unexpected("the end of the body");
  }

  /** Text of the value between two offsets, for messages: at most 40 characters. */
  excerpt(start: number, end: number): string {
    const text = new TextDecoder().decode(this.#bytes.subarray(start, Math.min(end, start + 40)));
    return end > start + 40 ? `${text}…` : text;
  }

  /** Skips white space; @returns the next byte, still unread, or `END`. */
  #next(): number {
    const bytes = this.#bytes;
    let at = this.#offset;
    // Most bytes are above the space; a read behind the end would make this loop slow for good.
    while (at < bytes.length) {
      const byte = bytes[at] as number;
      if (byte > 0x20 || !isWhiteSpace(byte)) {
        this.#offset = at;
        return byte;
      }
      at++;
    }
    this.#offset = at;
    return END;
  }

  /** Numbers are ASCII, so one decoding of the whole body as single bytes serves all of their texts. */
  #text(start: number, end: number): string {
    this.#latin1 ??= new TextDecoder("latin1").decode(this.#bytes);
    return this.#latin1.substring(start, end);
  }

  #checkDepth(depth: number): void {
    if (depth < JSON_DEPTH_MAX) return;
    throw this.#error(`Cannot parse JSON: nesting is deeper than ${JSON_DEPTH_MAX}`);
  }

  #unexpected(expected: string): MillraceError {
    const at = this.#offset;
    const byte = this.#bytes[at];
    const found =
      byte === undefined ? "the end of the body" : JSON.stringify(this.excerpt(at, at + 1));
    return this.#error(`Cannot parse JSON: found ${found} at byte ${at}, expected ${expected}`);
  }

  #error(message: string): MillraceError {
    return new MillraceError("INVALID_JSON", message, {
      problems: [{ location: ["body", this.#offset], message, type: "json" }],
    });
  }
}

function isWhiteSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function asciiText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > 64) return new TextDecoder("latin1").decode(bytes.subarray(start, end));
  let text = "";
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] as number);
  return text;
}
