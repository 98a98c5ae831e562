import { PassThrough } from "node:stream";
import { finished } from "node:stream/promises";
import { expect, test } from "vitest";
import { LINE_LENGTH_MAX, LINES_PER_SECOND_MAX, OutputLines } from "./output-lines.ts";

interface Collected {
  readonly lines: string[];
  readonly leftOut: number[];
}

/** What comes of chunks that arrive within a moment. */
async function collect(chunks: readonly (string | Buffer)[]): Promise<Collected> {
  const stream = new PassThrough({ highWaterMark: 64 * 1024 * 1024 });
  const lines: string[] = [];
  const leftOut: number[] = [];
  new OutputLines(stream, {
    onLine: (line) => lines.push(line),
    onLeftOut: (count) => leftOut.push(count),
  });
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await finished(stream);
  await new Promise((resolve) => setImmediate(resolve));
  return { lines, leftOut };
}

test("OutputLines joins what comes in parts, and takes a last line without an end", async () => {
  const euro = Buffer.from("€\n");
  const chunks = ["a", "b\nc\r\n\n", euro.subarray(0, 1), euro.subarray(1), "end"];
  expect(await collect(chunks)).toEqual({ lines: ["ab", "c", "€", "end"], leftOut: [] });
});

test("OutputLines cuts long lines, whole or in parts", async () => {
  const long = "x".repeat(3 * LINE_LENGTH_MAX);
  const { lines } = await collect([`${long}\n`, long, long, "\nshort\n"]);
  expect(lines.map((line) => line.length)).toEqual([LINE_LENGTH_MAX + 1, LINE_LENGTH_MAX + 1, 5]);
});

test("OutputLines counts the lines that are too many", async () => {
  const { lines, leftOut } = await collect(["line\n".repeat(LINES_PER_SECOND_MAX + 20)]);
  expect([lines.length, leftOut]).toEqual([LINES_PER_SECOND_MAX, [20]]);
});

test("OutputLines reads no more for the rest of the second when very much comes", async () => {
  const stream = new PassThrough({ highWaterMark: 64 * 1024 * 1024 });
  new OutputLines(stream, { onLine: () => undefined, onLeftOut: () => undefined });
  stream.write("y".repeat(5 * 1024 * 1024));
  await new Promise((resolve) => setImmediate(resolve));
  expect(stream.isPaused()).toBe(true);
  stream.destroy();
});
