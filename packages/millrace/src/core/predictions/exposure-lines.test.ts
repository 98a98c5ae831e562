import { expect, it } from "vitest";
import { exposureLines } from "./exposure-lines.ts";

it("exposureLines() gives rows with their lines, and lines that are none", () => {
  const row = { ts: 7, variant: "ä", unit_hash: null };
  const lines = [JSON.stringify(row), "", '{"ts":1', '{"ts":"1"}', "null", "7"];
  expect([...exposureLines(Buffer.from(lines.join("\n")))]).toEqual([
    { text: lines[0], row },
    ...lines.slice(2).map((text) => ({ text, row: undefined })),
  ]);
});
