import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { appendFile, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { JsonValue } from "../../core/json.ts";
import type { SinkBatch } from "../../ports/prediction-sink.ts";
import { batchOf, blockOf, predictionOf, type BatchPlace } from "./test-predictions.ts";
import { TextSink, type TextSinkOptions } from "./text-sink.ts";

const NEVER = new AbortController().signal;

describe("TextSink", () => {
  let folder: string;
  let path: string;
  const opened: TextSink[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "millrace-text-"));
    path = join(folder, "logs", "predictions.log");
  });
  afterEach(async () => {
    for (const sink of opened.splice(0)) await sink.close();
    rmSync(folder, { recursive: true });
  });

  async function open(
    state?: JsonValue,
    options: Partial<TextSinkOptions> = {},
  ): Promise<TextSink> {
    const sink = new TextSink({ path, sizeBytesMax: 1e6, keep: 2, ...options });
    opened.push(sink);
    await sink.open(state);
    return sink;
  }

  /** The numbers of the predictions in a file, in its order; "…" where a line is not whole. */
  function numbersIn(name = path): (number | string)[] {
    if (!existsSync(name)) return [];
    const lines = readFileSync(name, "utf8").split("\n");
    const rest = lines.pop();
    const numbers = lines.map((line) => Number(/-(\d{12})\]/.exec(line)?.[1] ?? Number.NaN));
    return rest === "" ? numbers : [...numbers, "…"];
  }

  /** A batch with a block for each list of numbers. */
  function batch(blocks: readonly (readonly number[])[], place?: BatchPlace): SinkBatch {
    return batchOf(
      blocks.map((numbers) => blockOf(numbers.map((number) => predictionOf(number)))),
      place,
    );
  }

  test("write() appends a line for each prediction, and counts them", async () => {
    const sink = await open();
    await sink.write(batch([[1, 2], [3]]), NEVER);
    await sink.write(batch([[4]], { from: 2 }), NEVER);
    expect(numbersIn()).toEqual([1, 2, 3, 4]);
    expect(sink.counts).toEqual({ rows: 4, unreadable: 0 });
  });

  test("write() makes a file that not everybody may read: it has what people sent", async () => {
    const sink = await open();
    await sink.write(batch([[1]]), NEVER);
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  test("write() of the same batch again writes nothing, whoever wrote in between", async () => {
    const sink = await open();
    const first = batch([[1], [2]]);
    const other = batch([[10]], { writer: "p1-0001" });
    await sink.write(first, NEVER);
    await sink.write(other, NEVER);
    await sink.write(first, NEVER);
    await sink.write(other, NEVER);
    await sink.write(batch([[3]], { number: 2 }), NEVER);
    await sink.write(first, NEVER);
    expect(numbersIn()).toEqual([1, 2, 10, 3]);
  });

  test("open() cuts off what was written and not noted, and it is written once", async () => {
    const before = await open();
    const state = await before.write(batch([[1], [2]]), NEVER);
    await before.write(batch([[3]], { from: 2 }), NEVER); // not noted
    await before.write(batch([[10]], { writer: "p1-0001" }), NEVER); // nor this
    await before.close();
    await appendFile(path, "[2025-11-21 16:59:15,1"); // killed while it wrote
    const after = await open(state);
    expect(numbersIn()).toEqual([1, 2]);
    await after.write(batch([[10]], { writer: "p1-0001" }), NEVER);
    await after.write(batch([[3], [4]], { from: 2 }), NEVER);
    expect(numbersIn()).toEqual([1, 2, 10, 3, 4]);
  });

  test("write() finds its first lines again when it was killed before anything was noted", async () => {
    const first = batch([[1, 2], [3]]);
    await writeLinesOf("something else");
    const before = await open();
    await before.write(first, NEVER);
    const whole = readFileSync(path);
    await before.close();
    for (const length of [whole.length, whole.length - 5, whole.indexOf("\n") + 30]) {
      await writeFile(path, whole.subarray(0, length));
      await (await open()).write(first, NEVER);
      expect(readFileSync(path)).toEqual(whole);
    }
  });

  async function writeLinesOf(text: string): Promise<void> {
    const sink = await open();
    await sink.close();
    await writeFile(path, `${text}\n`);
  }

  test("write() rotates a full file before a batch, and keeps as many as it is told", async () => {
    const sink = await open(undefined, { sizeBytesMax: 10 });
    for (let number = 1; number <= 5; number++)
      await sink.write(batch([[number]], { number }), NEVER);
    expect(numbersIn()).toEqual([5]);
    expect(numbersIn(`${path}.1`)).toEqual([4]);
    expect(numbersIn(`${path}.2`)).toEqual([3]);
    expect(existsSync(`${path}.3`)).toBe(false);
  });

  test("write() starts a full file anew where no old one is kept", async () => {
    const sink = await open(undefined, { sizeBytesMax: 10, keep: 0 });
    for (let number = 1; number <= 3; number++)
      await sink.write(batch([[number]], { number }), NEVER);
    expect(numbersIn()).toEqual([3]);
    expect(existsSync(`${path}.1`)).toBe(false);
  });

  test("write() has its effect once when it was killed after it had rotated", async () => {
    const options = { sizeBytesMax: 10 };
    const before = await open(undefined, options);
    const state = await before.write(batch([[1]]), NEVER);
    await before.write(batch([[2]], { number: 2 }), NEVER); // rotates; not noted
    await before.close();
    const after = await open(state, options);
    await after.write(batch([[2]], { number: 2 }), NEVER);
    expect(numbersIn()).toEqual([2]);
    expect(numbersIn(`${path}.1`)).toEqual([1]);
    expect(existsSync(`${path}.2`)).toBe(false);
  });

  test("write() begins a new file when somebody moved or removed it, while it runs or before", async () => {
    const sink = await open();
    await sink.write(batch([[1]]), NEVER);
    renameSync(path, `${path}.moved`);
    const state = await sink.write(batch([[2]], { number: 2 }), NEVER);
    expect([numbersIn(`${path}.moved`), numbersIn()]).toEqual([[1], [2]]);
    await sink.close();
    rmSync(path);
    const next = await open(state);
    await next.write(batch([[3]], { number: 3 }), NEVER);
    expect(numbersIn()).toEqual([3]);
  });

  test("open() leaves a file alone that does not end as this sink left it", async () => {
    const before = await open();
    const state = await before.write(batch([[1]]), NEVER);
    await before.close();
    const foreign = "somebody else's line\n".repeat(100);
    await writeFile(path, foreign);
    const after = await open(state);
    await after.write(batch([[2]], { number: 2 }), NEVER);
    expect(readFileSync(path, "utf8").startsWith(foreign)).toBe(true);
    await after.close();
    await truncate(path, 0); // copied and truncated by who rotates
    const last = await open(state);
    await last.write(batch([[3]], { number: 3 }), NEVER);
    expect(numbersIn()).toEqual([3]);
  });

  test("write() takes back what it wrote when it is aborted or a block cannot be had", async () => {
    const sink = await open();
    await sink.write(batch([[1]]), NEVER);
    const reason = new Error("shutdown");
    const aborting = new AbortController();
    const whole = batch([[2], [3]], { number: 2 });
    const halting = (halt: () => void): SinkBatch => ({
      ...whole,
      blocks: async function* () {
        for await (const block of whole.blocks()) {
          yield block;
          halt();
        }
      },
    });
    const aborted = sink.write(
      halting(() => aborting.abort(reason)),
      aborting.signal,
    );
    await expect(aborted).rejects.toBe(reason);
    expect(numbersIn()).toEqual([1]);
    const failing = halting(() => {
      throw new Error("gone");
    });
    await expect(sink.write(failing, NEVER)).rejects.toThrow("gone");
    expect(numbersIn()).toEqual([1]);
    await sink.write(whole, NEVER);
    expect(numbersIn()).toEqual([1, 2, 3]);
    expect(sink.counts.rows).toBe(3);
  });

  test("write() leaves out what is forgotten and what cannot be read, and counts the latter", async () => {
    const sink = await open(undefined, { isForgotten: (hash, us) => hash === "h" && us > 0 });
    const forgotten = blockOf([
      predictionOf(1, { unitHash: "h" }),
      predictionOf(2, { unitHash: "i" }),
    ]);
    const garbage = {
      ...blockOf([predictionOf(3)]),
      bytes: Buffer.from("no block"),
      recordCount: 7,
    };
    await sink.write(batchOf([forgotten, garbage, blockOf([predictionOf(4)])]), NEVER);
    expect(numbersIn()).toEqual([2, 4]);
    expect(sink.counts).toEqual({ rows: 2, unreadable: 7 });
  });

  test("write() writes nothing of what is reported later", async () => {
    const sink = await open();
    const feedback = { ...batch([[1]]), segment: { writer: "p0", table: "feedback", number: 1 } };
    expect(await sink.write(feedback as SinkBatch, NEVER)).toBeUndefined();
    expect(numbersIn()).toEqual([]);
  });
});
