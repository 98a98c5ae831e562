import { expect, it } from "vitest";
import { feedbackLines } from "./feedback-lines.ts";

it("feedbackLines() gives rows with their lines, and lines that are none", () => {
  const row = { ts: -5, received_ts: 7, label: "ä" };
  const lines = [JSON.stringify(row), "", '{"ts":1', '{"ts":1}', "null", "7"];
  const bytes = Buffer.from(`skipped${lines.join("\n")}`).subarray("skipped".length);
  expect([...feedbackLines(bytes)]).toEqual([
    { text: lines[0], row },
    ...lines.slice(2).map((text) => ({ text, row: undefined })),
  ]);
  expect([...feedbackLines(new Uint8Array())]).toEqual([]);
});
