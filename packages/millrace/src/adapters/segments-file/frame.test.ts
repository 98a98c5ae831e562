import { describe, expect, it } from "vitest";
import { blockHeader, endFrame, FRAME_HEADER_BYTES, readFrameHeader } from "./frame.ts";

const PAYLOAD = new TextEncoder().encode("one block");

describe("frame", () => {
  it("readFrameHeader() gives back what blockHeader() wrote", () => {
    const header = readFrameHeader(blockHeader(0xfedcba98, 7, PAYLOAD), 0);
    expect(header).toMatchObject({ salt: 0xfedcba98, isEnd: false, recordCount: 7 });
    expect(header?.payloadBytes).toBe(PAYLOAD.length);
  });

  it("readFrameHeader() recognises an end frame at any offset", () => {
    const bytes = new Uint8Array(FRAME_HEADER_BYTES + 5);
    bytes.set(endFrame(3), 5);
    expect(readFrameHeader(bytes, 5)).toMatchObject({ isEnd: true, salt: 3, payloadBytes: 0 });
  });

  it("readFrameHeader() finds no header where any bit of it is wrong", () => {
    const good = blockHeader(1, 2, PAYLOAD);
    for (let bit = 0; bit < 8 * FRAME_HEADER_BYTES; bit++) {
      const bytes = Uint8Array.from(good);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(readFrameHeader(bytes, 0), `bit ${bit}`).toBeUndefined();
    }
  });

  it("readFrameHeader() finds none that is not whole", () => {
    const good = blockHeader(1, 2, PAYLOAD);
    expect(readFrameHeader(good.subarray(0, FRAME_HEADER_BYTES - 1), 0)).toBeUndefined();
  });
});
