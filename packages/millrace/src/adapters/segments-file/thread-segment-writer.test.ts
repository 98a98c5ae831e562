import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestClock } from "../../core/test-clock.ts";
import { FileSegmentStore } from "./file-segment-store.ts";
import { numberedBlock, readNumbers } from "./test-blocks.ts";
import { ThreadSegmentWriter } from "./thread-segment-writer.ts";

const ENTRY = new URL("../../segment-writer-entry.ts", import.meta.url);
/** A thread like that of the product, which breaks when it gets a block of this length. */
const FATAL_BYTES = 666;
const BREAKABLE_ENTRY = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", ({ block }) => {
      if (block?.bytes.length === ${FATAL_BYTES}) throw new Error("out of order");
    });
    await import(${JSON.stringify(ENTRY.href)});
  `)}`,
);

/** Of what a busy machine takes its time for. */
const PATIENCE = { timeout: 10_000 };

describe("ThreadSegmentWriter", () => {
  let folder: string;
  let clock: TestClock;
  let told: string[];
  let names: string[];
  let writer: ThreadSegmentWriter | undefined;
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), "millrace-thread-")), "log");
    clock = new TestClock();
    told = [];
    names = [];
  });
  afterEach(async () => {
    await writer?.close();
    writer = undefined;
    rmSync(join(folder, ".."), { recursive: true, force: true });
  });

  it("append() takes the memory of the block and resolves when it is in a segment", async () => {
    const opened = open();
    const block = numberedBlock(1);
    const append = opened.append(block);
    expect(block.bytes).toHaveLength(0);
    await append;
    expect(await numbers()).toEqual([1]);
  });

  it("append() keeps the order of many blocks, each once", async () => {
    const opened = open();
    const expected = Array.from({ length: 500 }, (_, i) => i);
    await Promise.all(expected.map((number) => opened.append(numberedBlock(number))));
    expect(await numbers()).toEqual(expected);
  });

  it("sync() resolves when what was given is on the disk", async () => {
    const opened = open();
    void opened.append(numberedBlock(1));
    await opened.sync();
    expect(await numbers()).toEqual([1]);
  });

  it("usage tells what the thread wrote, and how long it has not answered", async () => {
    const opened = open();
    void opened.append(numberedBlock(1));
    clock.advanceMs(30);
    expect(opened.usage.durableLagMs).toBe(30);
    await opened.sync();
    await expect.poll(() => opened.usage.writtenBytes, PATIENCE).toBe(428);
    expect(opened.usage).toEqual({ writtenBytes: 428, walBytes: 428, durableLagMs: 0 });
  });

  it("close() writes and ends what was given; nothing is taken afterwards", async () => {
    const opened = open();
    const append = opened.append(numberedBlock(1));
    await opened.close();
    await append;
    const [segment] = await new FileSegmentStore(folder).list();
    expect(segment).toMatchObject({ isEnded: true, isUnclean: false });
    await expect(opened.append(numberedBlock(2))).rejects.toThrow("it is closed");
    expect(told).toEqual([]);
  });

  it("append() rejects a block that is too long and goes on with the next", async () => {
    const opened = open();
    const tooLong = opened.append(numberedBlock(1, { byteLength: 72 * 2 ** 20 + 4 }));
    await Promise.all([
      expect(tooLong).rejects.toThrow("limit is 75497472"),
      opened.append(numberedBlock(2)),
    ]);
    expect(await numbers()).toEqual([2]);
  });

  it("append() rejects a block whose memory has moved already and goes on with the next", async () => {
    const opened = open();
    const block = numberedBlock(1);
    await opened.append(block);
    await expect(opened.append(block)).rejects.toThrow("Cannot transfer");
    await opened.append(numberedBlock(2));
    expect(await numbers()).toEqual([1, 2]);
  });

  it("starts another thread, under a new name, when one breaks; what that had is rejected", async () => {
    const opened = open(BREAKABLE_ENTRY);
    await opened.append(numberedBlock(1));
    const fatal = opened.append(numberedBlock(2, { byteLength: FATAL_BYTES }));
    await expect(fatal).rejects.toThrow(
      "Cannot write the prediction log: its thread broke: out of order",
    );
    const next = opened.append(numberedBlock(3));
    expect(told).toEqual([
      "failed: Cannot write the prediction log: its thread broke: out of order",
    ]);
    clock.advanceMs(500);
    await next;
    expect(await numbers()).toEqual(expect.arrayContaining([1, 3]));
    expect(told.at(-1)).toBe("recovered");
    expect(names).toEqual(["w1", "w2"]);
    expect(opened.usage.writtenBytes).toBeGreaterThanOrEqual(0);
    const unclean = (await new FileSegmentStore(folder).list()).filter(
      ({ isUnclean }) => isUnclean,
    );
    expect(unclean.map(({ id }) => id.writer)).toEqual(["w1"]);
  });

  it("waits ever longer before it starts a thread that breaks at once, and tells once", async () => {
    open(new URL("data:text/javascript,throw new Error('no')"));
    for (const waitMs of [500, 1_000, 2_000]) {
      const before = names.length;
      await expect.poll(() => clock.timerCount, PATIENCE).toBe(1);
      clock.advanceMs(waitMs - 1);
      expect(names).toHaveLength(before);
      clock.advanceMs(1);
      expect(names).toHaveLength(before + 1);
    }
    expect(told).toHaveLength(1);
    await expect.poll(() => clock.timerCount, PATIENCE).toBe(1);
    const waiting = writer?.append(numberedBlock(1));
    await Promise.all([writer?.close(), expect(waiting).rejects.toThrow("it is closed")]);
  });

  it("tries again when no thread can be started, and keeps what waits for one", async () => {
    let entry = BREAKABLE_ENTRY;
    const opened = open(() => entry);
    const fatal = opened.append(numberedBlock(1, { byteLength: FATAL_BYTES }));
    await expect(fatal).rejects.toThrow("its thread broke");
    const next = opened.append(numberedBlock(2));
    const moved = numberedBlock(3);
    moved.bytes.buffer.transfer();
    const refused = opened.append(moved);
    const last = opened.append(numberedBlock(4));
    entry = new URL("https://127.0.0.1/as-when-there-are-too-many-threads");
    clock.advanceMs(500);
    entry = ENTRY;
    clock.advanceMs(1_000);
    await Promise.all([next, expect(refused).rejects.toThrow("Cannot transfer"), last]);
    expect(await numbers()).toEqual([2, 4]);
    expect(told).toHaveLength(2);
  });

  it("lets a process end that has nothing to write, and not before it has written", () => {
    const module = new URL("thread-segment-writer.ts", import.meta.url).href;
    const program = `
      const { ThreadSegmentWriter } = await import(${JSON.stringify(module)});
      const events = { level() {}, failed: console.log, recovered() {} };
      const clock = { nowMs: () => performance.now(), schedule: () => () => {} };
      const writer = new ThreadSegmentWriter({
        entry: new URL(${JSON.stringify(ENTRY.href)}), folder: ${JSON.stringify(folder)}, newWriter: () => "w1",
        rollMs: 60000, durability: { kind: "off" }, walBytesMax: 1e9, diskFreeMin: 0, clock, events,
      });
      writer.append({ table: "feedback", recordCount: 1, bytes: new Uint8Array(9) }).then(() => console.log("written"));
    `;
    const args = ["--conditions=@millrace/source", "--input-type=module", "-e", program];
    const run = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 });
    expect(run).toMatchObject({ stdout: "written\n", stderr: "", status: 0 });
    expect(readdirSync(join(folder, "wal/w1"))).toContain("feedback-00000001.segment");
  });

  function open(entry: URL | (() => URL) = ENTRY): ThreadSegmentWriter {
    writer = new ThreadSegmentWriter({
      get entry() {
        return entry instanceof URL ? entry : entry();
      },
      folder,
      newWriter: () => {
        names.push(`w${names.length + 1}`);
        return names.at(-1) ?? "";
      },
      rollMs: 60_000,
      durability: { kind: "interval", everyMs: 50 },
      walBytesMax: 2 ** 40,
      diskFreeMin: 0,
      clock,
      events: {
        level: (level) => told.push(level),
        failed: (error) => told.push(`failed: ${error.message}`),
        recovered: () => told.push("recovered"),
      },
    });
    return writer;
  }

  async function numbers(): Promise<readonly number[]> {
    const read = await readNumbers(new FileSegmentStore(folder));
    expect(read.damages).toEqual([]);
    return read.numbers;
  }
});
