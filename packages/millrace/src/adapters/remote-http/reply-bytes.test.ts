import { describe, expect, test } from "vitest";
import { TestRandom } from "../../core/test-random.ts";
import { ReplyBytes } from "./reply-bytes.ts";

describe("ReplyBytes", () => {
  test("ReplyBytes keeps what comes in any pieces, announced or not", () => {
    const random = new TestRandom(7);
    for (const announced of [undefined, 0, 10, 40_000, 2_000_000]) {
      const bytes = new ReplyBytes(100_000, announced);
      const whole = Buffer.alloc(40_000, "abcdefg");
      for (let at = 0; at < whole.length;) {
        const end = at + 1 + Math.floor(random.next() * 3_000);
        expect(bytes.add(whole.subarray(at, end))).toBe(true);
        at = Math.min(end, whole.length);
      }
      expect(Buffer.from(bytes.finish()).equals(whole)).toBe(true);
    }
  });

  test("ReplyBytes refuses the byte behind the limit and does not hold on to chunks", () => {
    const bytes = new ReplyBytes(3, undefined);
    const chunk = Buffer.from("ab");
    expect(bytes.add(chunk)).toBe(true);
    chunk.fill("x");
    expect(bytes.add(Buffer.from("cd"))).toBe(false);
    expect(bytes.add(Buffer.from("c"))).toBe(true);
    expect(Buffer.from(bytes.finish()).toString()).toBe("abc");
  });

  test("ReplyBytes takes no memory for what was only announced", () => {
    const bytes = new ReplyBytes(2 ** 30, 2 ** 30);
    expect(bytes.finish().buffer.byteLength).toBe(1024 * 1024);
  });
});
