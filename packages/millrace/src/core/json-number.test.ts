import { expect, test } from "vitest";
import { NumberScanner } from "./json-number.ts";
import { TestRandom } from "./test-random.ts";

const SEED = Date.now() % 2 ** 31;

function scan(text: string): NumberScanner {
  const scanner = new NumberScanner();
  if (!scanner.scan(new TextEncoder().encode(text), 0)) throw new Error(`refused ${text}`);
  return scanner;
}

function randomDigits(random: TestRandom, count: number): string {
  return Array.from({ length: count }, () => random.below(10)).join("");
}

/** A JSON number of any form: long and short, with and without fraction and exponent. */
function randomNumber(random: TestRandom): string {
  const whole = random.pick(["0", String(random.below(1000)), `7${randomDigits(random, 17)}`]);
  const fraction = random.below(3) === 0 ? "" : `.${randomDigits(random, 1 + random.below(19))}`;
  const exponent =
    random.below(3) > 0
      ? ""
      : random.pick(["e", "E"]) + random.pick(["", "+", "-"]) + String(random.below(45));
  return random.pick(["", "-"]) + whole + fraction + exponent;
}

test("toDouble() equals Number(text) when it has an answer, for 100,000 random numbers", () => {
  const random = new TestRandom(SEED);
  let answerCount = 0;
  for (let i = 0; i < 100_000; i++) {
    const text = randomNumber(random);
    const value = scan(text).toDouble();
    if (value === undefined) continue;
    answerCount++;
    if (!Object.is(value, Number(text))) {
      expect.fail(`${text}: found ${value}, expected ${Number(text)}, seed ${SEED}`);
    }
  }
  expect(answerCount, `seed ${SEED}`).toBeGreaterThan(20_000);
});

test("toSingle() equals Math.fround(Number(text)) when it has an answer, for 100,000 random numbers", () => {
  const random = new TestRandom(SEED);
  let answerCount = 0;
  for (let i = 0; i < 100_000; i++) {
    const text = randomNumber(random);
    const value = scan(text).toSingle();
    if (value === undefined) continue;
    answerCount++;
    if (!Object.is(value, Math.fround(Number(text)))) {
      expect.fail(`${text}: found ${value}, expected ${Math.fround(Number(text))}, seed ${SEED}`);
    }
  }
  expect(answerCount, `seed ${SEED}`).toBeGreaterThan(60_000);
});

test("toSingle() has no answer when the left-out digits decide between two FP32 numbers", () => {
  // Half-way between 1 and the next FP32 number, and one digit far behind decides.
  expect(scan("1.000000059604644775390625").toSingle()).toBeUndefined();
  expect(scan("1.0000000596046447753906250000001").toSingle()).toBeUndefined();
});

test("toSingle() answers 17 digits when they are a FP32 number as Python prints it", () => {
  expect(scan("0.10000000149011612").toSingle()).toBe(Math.fround(0.1));
});

test("toDouble() has no answer when digits were left out", () => {
  expect(scan("0.10000000149011612").toDouble()).toBeUndefined();
});

test("toDouble() gives minus zero when the text is -0", () => {
  expect(scan("-0").toDouble()).toBe(-0);
  expect(scan("-0.00").toDouble()).toBe(-0);
});

test.each([
  ["12", true],
  ["12.0", false],
  ["12e0", false],
])("scan() of %s says whether it is written as a whole number", (text, isInteger) => {
  expect(scan(text).isInteger).toBe(isInteger);
});

test.each([
  ["", 0],
  ["-", 1],
  [".5", 0],
  ["1.", 2],
  ["1.e5", 2],
  ["1e", 2],
  ["1e+", 3],
  ["+1", 0],
  ["-x", 1],
])("scan() refuses %j and says where a digit is missing", (text, end) => {
  const scanner = new NumberScanner();
  expect(scanner.scan(new TextEncoder().encode(text), 0)).toBe(false);
  expect(scanner.end).toBe(end);
});

test("scan() ends behind a leading zero when digits follow", () => {
  expect(scan("012").end).toBe(1);
});

test("scan() keeps a sane exponent when the text has thousands of digits in it", () => {
  expect(scan(`1e${"9".repeat(5000)}`).toDouble()).toBeUndefined();
});
