import { describe, expect, test } from "vitest";
import { TestRandom } from "../../core/test-random.ts";
import { readBase64, readBase64Head } from "./read-base64.ts";

const BYTES = Buffer.from([0xfb, 0xff, 0xbf, 0x00, 0x41]); // "+/+/AEE=": both alphabets differ here

describe("readBase64() forms", () => {
  test.each([
    "+/+/AEE=",
    "-_-_AEE=",
    "+/+/AEE",
    "-_-_AEE",
    "  +/+/\r\nAEE=\n",
    "+/+/AEE =",
    "data:image/png;base64,+/+/AEE=",
    "DATA:image/svg+xml;charset=utf-8;BASE64,+/+/AEE=",
    "data:image/jpeg;base64,\n-_-_\nAEE",
  ])("readBase64() reads %j", (text) => {
    expect(readBase64(text)).toEqual({ kind: "bytes", bytes: BYTES });
  });

  test("readBase64() reads nothing as no bytes", () => {
    expect(readBase64("")).toEqual({ kind: "bytes", bytes: Buffer.alloc(0) });
    expect(readBase64(" \n")).toEqual({ kind: "bytes", bytes: Buffer.alloc(0) });
  });

  test("readBase64() gives back what was written, whatever its length and line breaks", () => {
    const random = new TestRandom(5);
    for (let length = 0; length < 200; length++) {
      const bytes = Buffer.from(Array.from({ length }, () => random.below(256)));
      const written = bytes.toString(random.below(2) === 0 ? "base64" : "base64url");
      const wrapped = written.replaceAll(/.{7}/g, (line) => `${line}\n`);
      expect(readBase64(written)).toEqual({ kind: "bytes", bytes });
      expect(readBase64(wrapped)).toEqual({ kind: "bytes", bytes });
    }
  });
});

describe("readBase64() refuses", () => {
  test.each([
    "not an image!",
    "+/+/*AEE=",
    "+/+/A",
    "+/=/AEE=",
    "QQ==QUJD",
    "QUJD=QUJD",
    "+/+/AEE===",
    "====",
    "+/+/AEE=\0",
    "+/+/ÄÖÜ=",
    "\u202e+/+/AEE=",
    "🙂🙂🙂🙂",
  ])("readBase64() refuses %j as no base64", (text) => {
    expect(readBase64(text)).toEqual({ kind: "unreadable", found: "text that is not base64" });
  });

  test.each([
    "data:text/plain;base64,QUJD",
    "data:image/png,QUJD",
    "data:,",
    "data:image/png;base64",
    `data:image/${"x".repeat(200)};base64,QUJD`,
    "data:image/../../x;base64 ,QUJD",
  ])("readBase64() refuses %j as another data URL", (text) => {
    expect(readBase64(text).kind).toBe("unreadable");
    expect(readBase64(text)).toMatchObject({ found: expect.stringContaining("data URL") });
  });

  test("readBase64() refuses one wrong character, wherever it is", () => {
    for (const length of [4, 6, 7, 8, 10, 11]) {
      const text = "QUJDREVGR0hJ".slice(0, length);
      for (let at = 0; at < length; at++) {
        const wrong = `${text.slice(0, at)}*${text.slice(at + 1)}`;
        expect([wrong, readBase64(wrong).kind]).toEqual([wrong, "unreadable"]);
      }
    }
  });
});

test("readBase64Head() gives the first bytes without reading the rest", () => {
  const bytes = Buffer.alloc(3_000, 7);
  const head = readBase64Head(`data:image/png;base64,\n\n\n${bytes.toString("base64")}`);
  expect(head).toEqual(bytes.subarray(0, 60));
  expect(readBase64Head("")).toHaveLength(0);
});
