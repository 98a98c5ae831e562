import { describe, expect, it } from "vitest";
import {
  bytesText,
  durationText,
  latencyText,
  rateText,
  shareText,
  timeText,
} from "./load-figures.ts";

describe("load figures", () => {
  it.each([
    [0, "0 µs"],
    [0.0124, "12.4 µs"],
    [0.99949, "999 µs"],
    [0.9996, "1 ms"],
    [4.806, "4.81 ms"],
    [999.6, "1 s"],
    [1254, "1.25 s"],
    [125_000, "2 min 5 s"],
    [Number.NaN, "–"],
  ])("latencyText(%d ms) is %s", (ms, text) => expect(latencyText(ms)).toBe(text));

  it.each([
    [0, "0 s"],
    [500, "500 ms"],
    [12_500, "12.5 s"],
    [120_000, "2 min"],
    [5_400_000, "90 min"],
    [9_000_000, "2 h 30 min"],
    [Infinity, "no end"],
  ])("durationText(%d ms) is %s", (ms, text) => expect(durationText(ms)).toBe(text));

  it.each([
    [0, "0 %"],
    [0.000_001, "0.01 %"],
    [0.999_999, "99.99 %"],
    [1, "100 %"],
    [0.5, "50 %"],
  ])("shareText(%d) is %s", (share, text) => expect(shareText(share)).toBe(text));

  it.each([
    [0.5, "0.5/s"],
    [499.6, "500/s"],
    [12_345.6, "12,346/s"],
  ])("rateText(%d) is %s", (rate, text) => expect(rateText(rate)).toBe(text));

  it.each([
    [1023, "1023 B"],
    [1536, "1.5 KiB"],
    [12_582_912, "12 MiB"],
  ])("bytesText(%d) is %s", (bytes, text) => expect(bytesText(bytes)).toBe(text));

  it("timeText() is a time to read, and leaves what is none", () => {
    expect(timeText("2026-11-21T17:00:00.123456789Z")).toBe("2026-11-21 17:00:00 UTC");
    expect(timeText("<yesterday>")).toBe("<yesterday>");
  });
});
