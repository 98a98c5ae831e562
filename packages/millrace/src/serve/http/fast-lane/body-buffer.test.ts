import { expect, it } from "vitest";
import { bodyBuffer } from "./body-buffer.ts";

it.each([0, 1, 5, 8, 13, 99])("bodyBuffer() aligns what follows %d bytes of JSON", (jsonBytes) => {
  const body = bodyBuffer(120, String(jsonBytes));
  expect(body.length).toBe(120);
  expect((body.byteOffset + jsonBytes) % 8).toBe(0);
  expect(body.buffer.byteLength).toBeLessThan(120 + 8);
});

it("bodyBuffer() has its memory to itself without such a header, and with nonsense in it", () => {
  for (const body of [bodyBuffer(5, undefined), bodyBuffer(5, "x"), bodyBuffer(5, "-1")]) {
    expect(body.length).toBe(5);
    expect(body.buffer.byteLength).toBe(5);
  }
});
