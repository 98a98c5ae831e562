import { describe, expect, it } from "vitest";
import { TestRandom } from "../../core/test-random.ts";
import { frameOf, MessageFrames } from "./message-frames.ts";

const LIMIT = 4 * 1024 * 1024;

describe("MessageFrames", () => {
  it("gives the same messages when the bytes come in any pieces", () => {
    const seed = Date.now() % 1e9;
    const random = new TestRandom(seed);
    for (let round = 0; round < 200; round++) {
      const messages = Array.from({ length: 1 + random.below(5) }, () =>
        Buffer.alloc(random.pick([0, 1, 4, 5, 100, 70_000]), random.below(256)),
      );
      const bytes = Buffer.concat(messages.map(frameOf));
      const frames = new MessageFrames(LIMIT);
      const found: Buffer[] = [];
      for (let at = 0; at < bytes.length;) {
        const end = at + 1 + random.below(random.pick([1, 7, 50_000]));
        frames.push(bytes.subarray(at, end), (message) => found.push(message));
        at = end;
      }
      expect(found.length, `seed ${seed}`).toBe(messages.length);
      expect(found.every((message, i) => message.equals(messages[i] as Buffer))).toBe(true);
      expect(frames.isPartial).toBe(false);
    }
  });

  it("gives a message of several MiB when it comes byte by byte at first", () => {
    const message = Buffer.alloc(3 * 1024 * 1024 + 1, 7);
    const bytes = frameOf(message);
    const frames = new MessageFrames(LIMIT);
    let found = Buffer.alloc(0);
    for (let at = 0; at < 100; at++) frames.push(bytes.subarray(at, at + 1), () => undefined);
    expect(frames.isPartial).toBe(true);
    frames.push(bytes.subarray(100), (whole) => (found = Buffer.from(whole)));
    expect(found.equals(message)).toBe(true);
  });

  it("tells that a message is compressed when its head does", () => {
    const frame = frameOf(Buffer.from("x"));
    frame[0] = 1;
    const flags: boolean[] = [];
    new MessageFrames(LIMIT).push(frame, (_message, isCompressed) => flags.push(isCompressed));
    expect(flags).toEqual([true]);
  });

  it.each([
    ["BODY_TOO_LARGE", "announces more than the limit", Buffer.from([0, 0, 64, 0, 1])],
    ["MALFORMED_REQUEST", "starts with another byte than 0 and 1", Buffer.from([2, 0, 0, 0, 0])],
  ])("throws %s when a message %s", (code, _what, head) => {
    expect(() => new MessageFrames(LIMIT).push(head, () => undefined)).toThrow(
      expect.objectContaining({ code }) as Error,
    );
  });
});
