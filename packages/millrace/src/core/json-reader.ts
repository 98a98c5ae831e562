import { MillraceError } from "./errors.ts";
import type { JsonValue } from "./json.ts";

/** Deepest nesting of arrays and objects: deeper bodies are refused, not recursed into. */
export const JSON_DEPTH_MAX = 100;

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const UPPER_E = 0x45;
const LOWER_E = 0x65;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** 10^0 … 10^22: the powers of ten a double holds exactly. */
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);

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
    if (this.#next() === CLOSE_ARRAY) throw this.#unexpected("a value");
    return true;
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
    const start = this.#numberStart();
    const bytes = this.#bytes;
    const whole = bytes[start] === MINUS ? start + 1 : start;
    let at = whole;
    let mantissa = 0;
    let byte = bytes[at] as number;
    while (byte >= ZERO && byte <= NINE) {
      mantissa = mantissa * 10 + (byte - ZERO);
      byte = bytes[++at] as number;
    }
    const point = at;
    if (byte === DOT) {
      byte = bytes[++at] as number;
      while (byte >= ZERO && byte <= NINE) {
        mantissa = mantissa * 10 + (byte - ZERO);
        byte = bytes[++at] as number;
      }
    }
    // Clinger's fast path: with at most 15 digits, mantissa and power of ten are exact doubles, so that one
    // division rounds once, to the double the long way would find. Everything else takes the long way.
    const isWellFormed =
      point > whole &&
      at !== point + 1 &&
      (bytes[whole] !== ZERO || point === whole + 1) &&
      byte !== LOWER_E &&
      byte !== UPPER_E;
    if (!isWellFormed || at - whole > 16) {
      const end = this.#scanNumber(start);
      return Number(this.#text(start, end));
    }
    this.#offset = at;
    const value = at === point ? mantissa : mantissa / (POWERS_OF_TEN[at - point - 1] as number);
    return whole === start ? value : -value;
  }

  /** @returns the exact whole number; undefined when the number has a fraction or is not written out. */
  readInteger(): bigint | undefined {
    const start = this.#numberStart();
    const end = this.#scanNumber(start);
    const text = this.#text(start, end);
    if (/^-?\d+$/.test(text)) return BigInt(text);
    const value = Number(text);
    return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  }

  #numberStart(): number {
    this.#next();
    return this.#offset;
  }

  /** Checks the grammar of the number at `start`, moves past it and returns its end. */
  #scanNumber(start: number): number {
    const bytes = this.#bytes;
    const digitsFrom = (from: number): number => {
      let at = from;
      while ((bytes[at] as number) >= ZERO && (bytes[at] as number) <= NINE) at++;
      if (at === from) {
        this.#offset = at;
        throw this.#unexpected("a digit");
      }
      return at;
    };
    const whole = bytes[start] === MINUS ? start + 1 : start;
    let at = digitsFrom(whole);
    if (bytes[whole] === ZERO && at > whole + 1) {
      this.#offset = whole;
      throw this.#error(`Cannot parse JSON: the number at byte ${start} has a leading zero`);
    }
    if (bytes[at] === DOT) at = digitsFrom(at + 1);
    if (bytes[at] === LOWER_E || bytes[at] === UPPER_E) {
      at++;
      if (bytes[at] === MINUS || bytes[at] === 0x2b) at++;
      at = digitsFrom(at);
    }
    this.#offset = at;
    return at;
  }

  /** Reads any value. Whole numbers beyond 2^53 become bigint; objects have no prototype. */
  readValue(depth = 0): JsonValue {
    if (depth > JSON_DEPTH_MAX) throw this.#tooDeep();
    switch (this.peek()) {
      case "object":
        return this.#readObject(depth);
      case "array": {
        const elements: JsonValue[] = [];
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
    const start = this.#numberStart();
    const value = this.readNumber();
    if (Number.isSafeInteger(value) || !Number.isInteger(value)) return value;
    const text = this.#text(start, this.#offset);
    return /^-?\d+$/.test(text) ? BigInt(text) : value;
  }

  /** Moves past the next value, checking only its grammar. */
  skipValue(depth = 0): void {
    if (depth > JSON_DEPTH_MAX) throw this.#tooDeep();
    switch (this.peek()) {
      case "object":
        this.enterObject();
        for (let isFirst = true; this.nextKey(isFirst) !== undefined; isFirst = false) {
          this.skipValue(depth + 1);
        }
        return;
      case "array":
        this.enterArray();
        for (let isFirst = true; this.nextElement(isFirst); isFirst = false) {
          this.skipValue(depth + 1);
        }
        return;
      case "string":
        this.readString();
        return;
      case "number":
        this.#scanNumber(this.#numberStart());
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
    const bytes = this.#bytes;
    while (isWhiteSpace(bytes[this.#offset] as number)) this.#offset++;
    if (this.#offset < bytes.length) throw this.#unexpected("the end of the body");
  }

  /** Text of the value between two offsets, for messages: at most 40 characters. */
  excerpt(start: number, end: number): string {
    const text = new TextDecoder().decode(this.#bytes.subarray(start, Math.min(end, start + 40)));
    return end > start + 40 ? `${text}…` : text;
  }

  /** Skips white space; @returns the next byte, still unread. */
  #next(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#offset] as number;
    while (isWhiteSpace(byte)) byte = bytes[++this.#offset] as number;
    return byte;
  }

  /** Numbers are ASCII, so one decoding of the whole body as single bytes serves all of their texts. */
  #text(start: number, end: number): string {
    this.#latin1 ??= new TextDecoder("latin1").decode(this.#bytes);
    return this.#latin1.substring(start, end);
  }

  #tooDeep(): MillraceError {
    return this.#error(`Cannot parse JSON: nesting is deeper than ${JSON_DEPTH_MAX}`);
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
