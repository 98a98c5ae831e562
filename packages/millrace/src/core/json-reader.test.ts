import { describe, expect, test } from "vitest";
import { MillraceError } from "./errors.ts";
import type { JsonValue } from "./json.ts";
import { JSON_DEPTH_MAX, JsonReader } from "./json-reader.ts";
import { TestRandom } from "./test-random.ts";

const SEED = Date.now() % 2 ** 31;

function readerOf(text: string): JsonReader {
  return new JsonReader(new TextEncoder().encode(text));
}

function parse(bytes: Uint8Array): JsonValue {
  const reader = new JsonReader(bytes);
  const value = reader.readValue();
  reader.end();
  return value;
}

function parseText(text: string): JsonValue {
  return parse(new TextEncoder().encode(text));
}

function skipText(text: string): void {
  const reader = readerOf(text);
  reader.skipValue();
  reader.end();
}

function errorOf(action: () => unknown): MillraceError {
  try {
    action();
  } catch (error) {
    if (error instanceof MillraceError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** What JSON.parse makes of the same bytes; undefined when it refuses them. */
function oracle(bytes: Uint8Array): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) };
  } catch {
    return undefined;
  }
}

/** Equal to the bit; a bigint stands for the double it rounds to. */
function isSame(found: JsonValue, expected: unknown): boolean {
  if (typeof found === "bigint") return Object.is(Number(found), expected);
  if (Array.isArray(found)) {
    const list: readonly JsonValue[] = found;
    if (!Array.isArray(expected) || list.length !== expected.length) return false;
    return list.every((element, i) => isSame(element, expected[i]));
  }
  if (typeof found === "object" && found !== null) {
    if (typeof expected !== "object" || expected === null || Array.isArray(expected)) return false;
    const members = Object.entries(found);
    const others = new Map<string, unknown>(Object.entries(expected));
    return (
      members.length === others.size &&
      members.every(([key, value]) => others.has(key) && isSame(value, others.get(key)))
    );
  }
  return Object.is(found, expected);
}

const SPACES = ["", "", "", " ", "\n", "\t\r"] as const;
const NUMBERS = [
  "0", "-0", "-0.0", "1", "-1", "0.1", "1e-7", "1E+5", "1e400", "-1e400", "5e-324", "2e-324", "1e22", "1e23",
  "0.10000000149011612", "5.099999904632568", "9007199254740993", "-9223372036854775808", "18446744073709551616",
  "123456789012345678901234567890", "1.7976931348623157e308", "2.2250738585072011e-308", "9007199254740992.5",
] as const; // prettier-ignore
const PIECES = [
  "a", "ü", "漢", "😀", "\\n", '\\"', "\\\\", "\\/", "\\u0000", "\\u00e9", "\\ud83d\\ude00", "\\ud800", "\\uDC00",
  "\u007f", "\u2028", "__proto__", "constructor", "0",
] as const; // prettier-ignore

/** Random valid JSON text. */
class JsonMaker {
  readonly random: TestRandom;
  #keyCount = 0;

  constructor(random: TestRandom) {
    this.random = random;
  }

  value(depth: number): string {
    const space = (): string => this.random.pick(SPACES);
    const kind = this.random.below(depth > 4 ? 6 : 10);
    const count = this.random.below(4);
    let text: string;
    if (kind < 1) text = this.random.pick(["true", "false", "null"]);
    else if (kind < 4) text = this.#number();
    else if (kind < 6) text = this.#string("");
    else if (kind < 8) {
      const elements = Array.from({ length: count }, () => this.value(depth + 1));
      text = `[${elements.join(",")}${count === 0 ? space() : ""}]`;
    } else {
      const members = Array.from(
        { length: count },
        // Keys are numbered: two equal ones are refused, which JSON.parse does not do.
        () => `${space()}${this.#key()}${space()}:${this.value(depth + 1)}`,
      );
      text = `{${members.join(",")}${space()}}`;
    }
    return space() + text + space();
  }

  #key(): string {
    if (this.random.below(50) === 0 && this.#keyCount++ === 0) return '"__proto__"';
    return this.#string(String(this.#keyCount++));
  }

  #number(): string {
    if (this.random.below(2) === 0) return this.random.pick(NUMBERS);
    const value = (this.random.next() - 0.5) * 10 ** (this.random.below(40) - 20);
    return this.random.pick([String(value), value.toExponential(), value.toPrecision(17)]);
  }

  #string(suffix: string): string {
    const pieces = Array.from({ length: this.random.below(4) }, () => this.random.pick(PIECES));
    return `"${pieces.join("")}${suffix}"`;
  }
}

describe("readValue() against JSON.parse", () => {
  test("readValue() gives the same value when the text is valid, for 5,000 random texts", () => {
    const random = new TestRandom(SEED);
    const wrong: string[] = [];
    for (let i = 0; i < 5_000; i++) {
      const text = new JsonMaker(random).value(0);
      if (!isSame(parseText(text), JSON.parse(text))) wrong.push(text);
    }
    expect(wrong, `seed ${SEED}`).toEqual([]);
  });

  test("readValue() and skipValue() refuse what JSON.parse refuses, for 50,000 damaged texts", () => {
    const random = new TestRandom(SEED);
    const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
    const likely = bytesOf('{}[]",:\\/0123456789.+-eEtfnu \n');
    let refusedCount = 0;
    for (let i = 0; i < 50_000; i++) {
      const bytes = bytesOf(new JsonMaker(random).value(2));
      const at = random.below(bytes.length);
      const isLikely = random.below(4) > 0;
      const byte = isLikely ? (likely[random.below(likely.length)] ?? 0) : random.below(256);
      const tail = bytes.subarray(at + random.below(2));
      const damaged =
        random.below(2) === 0
          ? Uint8Array.of(...bytes.subarray(0, at), byte, ...tail)
          : Uint8Array.of(...bytes.subarray(0, at), ...tail);
      const expected = oracle(damaged);
      if (expected === undefined) refusedCount++;
      const context = `seed ${SEED}, text ${i}: ${JSON.stringify(new TextDecoder().decode(damaged))}`;
      for (const read of [parse, skip]) {
        const found = tryRead(read, damaged);
        if (found?.isDuplicate === true) continue;
        if ((found === undefined) !== (expected === undefined)) {
          expect.fail(`${read.name} ${found === undefined ? "refuses" : "accepts"}, ${context}`);
        }
        if (read === parse && found !== undefined && !isSame(found.value, expected?.value)) {
          expect.fail(`another value, ${context}`);
        }
      }
    }
    expect(refusedCount).toBeGreaterThan(10_000);
  });
});

function skip(bytes: Uint8Array): JsonValue {
  const reader = new JsonReader(bytes);
  reader.skipValue();
  reader.end();
  return null;
}

function tryRead(
  read: (bytes: Uint8Array) => JsonValue,
  bytes: Uint8Array,
): { value: JsonValue; isDuplicate: boolean } | undefined {
  try {
    return { value: read(bytes), isDuplicate: false };
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== "INVALID_JSON") throw error;
    const isDuplicate = error.message.endsWith("stands twice");
    return isDuplicate ? { value: null, isDuplicate } : undefined;
  }
}

describe("readValue()", () => {
  test.each([
    ["9007199254740991", 9007199254740991],
    ["9007199254740993", 9007199254740993n],
    ["-9223372036854775808", -(2n ** 63n)],
    ["1e30", 1e30],
    [`1${"0".repeat(308)}`, 10n ** 308n],
    [`1${"0".repeat(309)}`, Infinity],
  ])("readValue() reads %s exactly when it is a whole number", (text, expected) => {
    expect(parseText(text)).toBe(expected);
  });

  test("readValue() refuses an object when a key stands twice", () => {
    const error = errorOf(() => parseText('{"a":1,"a":2}'));
    expect(error.code).toBe("INVALID_JSON");
    expect(error.message).toBe('Cannot parse JSON: the key "a" stands twice');
  });

  test("readValue() gives objects without prototype when the key is __proto__", () => {
    const value = parseText('{"__proto__":{"isAdmin":true}}') as { [key: string]: JsonValue };
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect(value["isAdmin"]).toBeUndefined();
  });

  test.each([
    ["array", "[", "]"],
    ["object", '{"a":', "}"],
  ])("readValue() and skipValue() take %ss nested to the limit and refuse one more", (_k, a, b) => {
    const nest = (depth: number): string => a.repeat(depth) + "1" + b.repeat(depth);
    expect(() => parseText(nest(JSON_DEPTH_MAX))).not.toThrow();
    expect(() => skipText(nest(JSON_DEPTH_MAX))).not.toThrow();
    const message = "Cannot parse JSON: nesting is deeper than 100";
    expect(errorOf(() => parseText(nest(JSON_DEPTH_MAX + 1))).message).toBe(message);
    expect(errorOf(() => skipText(nest(JSON_DEPTH_MAX + 1))).message).toBe(message);
  });

  test("readValue() counts an empty array as a level when it is the innermost", () => {
    const nest = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(() => parseText(nest(JSON_DEPTH_MAX))).not.toThrow();
    expect(() => parseText(nest(JSON_DEPTH_MAX + 1))).toThrow("deeper");
  });

  test("readValue() refuses a body of 250,000 open brackets without a crash", () => {
    expect(errorOf(() => parseText("[".repeat(250_000))).code).toBe("INVALID_JSON");
    expect(errorOf(() => parseText('{"a":'.repeat(250_000))).code).toBe("INVALID_JSON");
  });

  test("readValue() skips a byte order mark when the body starts with one", () => {
    expect(parseText("\ufeff[1]")).toEqual([1]);
  });

  test.each([
    ["long ASCII text", "x".repeat(1000)],
    ["text of 64 and 65 letters", `${"y".repeat(64)}`],
    ["NUL and other escapes", 'a\0b\n\t"\\/'],
    ["a lone surrogate", "\ud800"],
    ["every plane", "é漢😀\u2028"],
  ])("readValue() keeps %s", (_name, text) => {
    expect(parseText(JSON.stringify(text))).toBe(text);
  });

  test.each([
    ["invalid UTF-8", [0x22, 0xff, 0x22]],
    ["an overlong form", [0x22, 0xc0, 0xaf, 0x22]],
    ["a surrogate in UTF-8", [0x22, 0xed, 0xa0, 0x80, 0x22]],
  ])("readValue() refuses %s in a string", (_name, bytes) => {
    const error = errorOf(() => parse(Uint8Array.from(bytes)));
    expect(error.message).toBe(
      "Cannot parse JSON: the string at byte 1 is not valid UTF-8 or JSON",
    );
  });

  test.each([
    ["", "found the end of the body at byte 0, expected a value"],
    ["[1,]", 'found "]" at byte 3, expected a value'],
    ["[1 2]", 'found "2" at byte 3, expected "," or "]"'],
    ["[01]", 'found "1" at byte 2, expected "," or "]"'],
    ["[1.]", 'found "]" at byte 3, expected a digit'],
    ["[1", 'found the end of the body at byte 2, expected "," or "]"'],
    ['{"a":1,}', 'found "}" at byte 7, expected a key in quotes or "}"'],
    ["{a:1}", 'found "a" at byte 1, expected a key in quotes or "}"'],
    ['{"a" 1}', 'found "1" at byte 5, expected ":"'],
    ["nul", 'found "n" at byte 0, expected null'],
    ["NaN", 'found "N" at byte 0, expected a value'],
    ["1 2", 'found "2" at byte 2, expected the end of the body'],
    ['"a\nb"', 'found "\\n" at byte 2, expected an escaped control character'],
    ['"abc', "found the end of the body at byte 4, expected a closing quote"],
    ['"abc\\', "found the end of the body at byte 5, expected a closing quote"],
  ])("readValue() says what it found and where when the text is %s", (text, message) => {
    const error = errorOf(() => parseText(text));
    expect(error.code).toBe("INVALID_JSON");
    expect(error.message).toBe(`Cannot parse JSON: ${message}`);
    expect(error.problems[0]?.type).toBe("json");
  });
});

describe("readInteger()", () => {
  test.each([
    ["9223372036854775807", 2n ** 63n - 1n],
    ["-0", 0n],
    ["1.0", 1n],
    ["5e2", 500n],
    ["1.5", undefined],
    ["1e300", undefined],
    ["9007199254740993.0", undefined],
  ])("readInteger() of %s is exact or undefined", (text, expected) => {
    expect(readerOf(text).readInteger()).toBe(expected);
  });

  test("readInteger() makes no number of a million digits", () => {
    expect(readerOf("9".repeat(1_000_000)).readInteger()).toBeUndefined();
  });
});

describe("readNumbers()", () => {
  /** Reads the first elements of an array; @returns how many, and the text that is left. */
  function readRun(
    text: string,
    target: Float32Array | Float64Array | Int8Array,
  ): [number, string] {
    const reader = readerOf(text);
    reader.enterArray();
    reader.nextElement(true);
    const count = reader.readNumbers(target, 0);
    return [count, text.slice(reader.offset)];
  }

  test.each([
    ["the array ends", "[1, 2 ]", 2, " ]"],
    ["the storage is full", "[1,2,3,4,5,6]", 4, ",5,6]"],
    ["a string comes", '[1,2,"a"]', 2, ',"a"]'],
    ["an array comes first", "[[1]]", 0, "[1]]"],
    ["a value does not fit", "[1,128,2]", 1, ",128,2]"],
    ["a value has a fraction", "[1,2,1.5]", 2, ",1.5]"],
    ["a comma stands before the end", "[1,]", 1, ",]"],
  ])("readNumbers() stops before the rest when %s", (_name, text, count, rest) => {
    expect(readRun(text, new Int8Array(4))).toEqual([count, rest]);
  });

  test("readNumbers() stops before a number when FP32 has no finite value for it", () => {
    const target = new Float32Array(4);
    expect(readRun("[3.4028235e38,3.4028236e38]", target)).toEqual([1, ",3.4028236e38]"]);
    expect(readRun("[3.4028235677973366e38]", target)).toEqual([0, "3.4028235677973366e38]"]);
    expect(readRun("[3.4028235677973362e38]", target)[0]).toBe(1);
  });

  test("readNumbers() stores what Math.fround makes of Number(text), for 100,000 random numbers", () => {
    const random = new TestRandom(SEED);
    const values = Array.from({ length: 100_000 }, () => {
      const value = (random.next() - 0.5) * 10 ** (random.below(60) - 30);
      const single = Math.fround(value);
      return random.pick([String(value), String(single), value.toPrecision(17), single.toFixed(9)]);
    });
    for (const Target of [Float32Array, Float64Array]) {
      const target = new Target(values.length);
      expect(readRun(`[${values.join(", ")}]`, target)[0], `seed ${SEED}`).toBe(values.length);
      const expected = new Target(values.map(Number));
      const wrong = target.findIndex((value, i) => !Object.is(value, expected[i]));
      expect(wrong < 0 ? "all equal" : values[wrong], `seed ${SEED}`).toBe("all equal");
    }
  });
});

test("excerpt() shortens when the text is longer than 40 bytes", () => {
  const reader = readerOf("x".repeat(50));
  expect(reader.excerpt(0, 3)).toBe("xxx");
  expect(reader.excerpt(0, 50)).toBe(`${"x".repeat(40)}…`);
});

test("seek() reads a value again when it was read before", () => {
  const reader = readerOf("[1]");
  reader.skipValue();
  reader.seek(0);
  expect(reader.readValue()).toEqual([1]);
});
