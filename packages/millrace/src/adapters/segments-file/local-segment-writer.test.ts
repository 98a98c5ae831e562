import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Clock } from "../../core/clock.ts";
import { TestClock } from "../../core/test-clock.ts";
import { codeError, FaultyFiles } from "./faulty-files.ts";
import { FileSegmentStore } from "./file-segment-store.ts";
import { LocalSegmentWriter, type Durability } from "./local-segment-writer.ts";
import { numberedBlock, readNumbers } from "./test-blocks.ts";

const EVERY_200_MS: Durability = { kind: "interval", everyMs: 200 };
const OFF: Durability = { kind: "off" };
const BATCH: Durability = { kind: "batch" };
const ROLL_MS = 60_000;
const MIB = 2 ** 20;

describe("LocalSegmentWriter", () => {
  let folder: string;
  let clock: TestClock;
  let files: FaultyFiles;
  let told: string[];
  let writers: LocalSegmentWriter[];

  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), "millrace-wal-")), "log");
    clock = new TestClock();
    files = new FaultyFiles();
    told = [];
    writers = [];
  });
  afterEach(async () => {
    for (const writer of writers) await writer.close();
    rmSync(join(folder, ".."), { recursive: true, force: true });
  });

  it("append() writes blocks in their order, each once, into one segment a table", async () => {
    const writer = openWriter();
    const blocks = [1, 2, 3].map((number) => numberedBlock(number));
    const feedback = numberedBlock(9, { table: "feedback" });
    await Promise.all([...blocks, feedback].map((block) => writer.append(block)));
    await writer.append(numberedBlock(4));
    expect(await numbersOf("predictions")).toEqual([1, 2, 3, 4]);
    expect(await numbersOf("feedback")).toEqual([9]);
    expect(await segmentNames()).toEqual(["feedback-1", "predictions-1"]);
  });

  it("append() writes what waits together in one write", async () => {
    const writer = openWriter();
    await Promise.all([1, 2, 3, 4].map((number) => writer.append(numberedBlock(number))));
    expect(files.writeCount).toBe(1);
  });

  it("append() is answered at whatever moment of the one before it comes", async () => {
    const writer = openWriter();
    for (let moment = 0; moment < 30; moment++) {
      await writer.append(numberedBlock(2 * moment));
      for (let turn = 0; turn < moment; turn++) await Promise.resolve();
      const append = writer.append(numberedBlock(2 * moment + 1));
      await settle();
      expect(
        await Promise.race([append, Promise.resolve("waits")]),
        `moment ${moment}`,
      ).toBeUndefined();
    }
  });

  it("append() refuses a block that is longer than a reader accepts", async () => {
    const block = numberedBlock(1, { byteLength: 72 * MIB + 4 });
    await expect(openWriter().append(block)).rejects.toThrow(
      "Cannot write a block of the log: it has 75497476 bytes, limit is 75497472",
    );
  });

  it("keeps what it writes from other users", async () => {
    const writer = openWriter();
    await writer.append(numberedBlock(1));
    for (const path of [folder, join(folder, "wal"), join(folder, "wal/w1")]) {
      expect(statSync(path).mode & 0o777, `${path}`).toBe(0o700);
    }
    for (const name of readdirSync(join(folder, "wal/w1"))) {
      expect(statSync(join(folder, "wal/w1", name)).mode & 0o777, `${name}`).toBe(0o600);
    }
  });

  it("writes feedback although there are always more predictions", async () => {
    const writer = openWriter({ durability: BATCH });
    const feedback = writer.append(numberedBlock(0, { table: "feedback" }));
    let isFeedbackWritten = false;
    void feedback.then(() => (isFeedbackWritten = true));
    let given = writer.append(numberedBlock(1));
    for (let number = 2; number < 50 && !isFeedbackWritten; number++) {
      const next = writer.append(numberedBlock(number));
      await given;
      given = next;
    }
    expect(isFeedbackWritten).toBe(true);
  });

  it("ends a segment in time when nothing comes any more, and leaves no empty one", async () => {
    const writer = openWriter();
    await writer.append(numberedBlock(1));
    await advance(ROLL_MS - 1);
    expect(await endedNames()).toEqual([]);
    await advance(1);
    expect(await endedNames()).toEqual(["predictions-1"]);
    await advance(10 * ROLL_MS);
    expect(await segmentNames()).toEqual(["predictions-1"]);
    await writer.append(numberedBlock(2));
    expect(await segmentNames()).toEqual(["predictions-1", "predictions-2"]);
  });

  it("ends a segment by the age of its first block, not of its last", async () => {
    const writer = openWriter();
    for (let number = 1; number <= 3; number++) {
      await writer.append(numberedBlock(number));
      await advance(ROLL_MS / 3);
    }
    await advance(1);
    expect(await endedNames()).toEqual(["predictions-1"]);
  });

  it("ends a segment that is long enough", async () => {
    const writer = openWriter({ walBytesMax: MIB }); // a sixteenth of it is 64 KiB
    const blocks = [1, 2, 3, 4, 5].map((number) => numberedBlock(number, { byteLength: 30_000 }));
    await Promise.all(blocks.map((block) => writer.append(block)));
    await settle();
    expect(await segmentNames()).toEqual(["predictions-1", "predictions-2"]);
    expect(await numbersOf("predictions")).toEqual([1, 2, 3, 4, 5]);
  });

  it("ends a segment that is many rows of the table", async () => {
    const writer = openWriter();
    const blocks = [1, 2, 3, 4, 5].map((number) => ({
      ...numberedBlock(number),
      rowCount: 400_000,
    }));
    await Promise.all(blocks.map((block) => writer.append(block)));
    await settle();
    expect(await segmentNames()).toEqual(["predictions-1", "predictions-2"]);
    expect(await numbersOf("predictions")).toEqual([1, 2, 3, 4, 5]);
    await writer.append({ ...numberedBlock(6), rowCount: 3_000_000 });
    expect(await numbersOf("predictions")).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("rolls by the monotonic clock and keeps the order, whatever the wall clock does", async () => {
    const jumps = [-86_400_000, 0, 86_400_000, -3_600_000];
    let jump = 0;
    const jumping: Clock = {
      nowMs: () => clock.nowMs(),
      wallMs: () => 1_700_000_000_000 + (jumps[jump++ % jumps.length] ?? 0),
      schedule: (delayMs, run) => clock.schedule(delayMs, run),
      soon: (run) => clock.soon(run),
    };
    const writer = openWriter({}, jumping);
    for (let number = 1; number <= 8; number++) {
      await writer.append(numberedBlock(number));
      await advance(ROLL_MS / 2);
    }
    expect(await numbersOf("predictions")).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await segmentNames()).toHaveLength(4);
  });

  it("syncs within the interval and tells how old the oldest unsynced record is", async () => {
    const writer = openWriter();
    await writer.append(numberedBlock(1));
    await advance(150);
    expect(writer.usage.durableLagMs).toBe(150);
    expect(files.syncCount).toBe(0);
    await advance(50);
    await settle();
    expect(writer.usage.durableLagMs).toBe(0);
    expect(files.syncCount).toBe(1);
    await advance(5_000);
    expect(files.syncCount).toBe(1);
  });

  it("goes on writing while a slow disk syncs, and never syncs more than once at a time", async () => {
    const gate = Promise.withResolvers<void>();
    files.syncGate = gate.promise;
    const writer = openWriter();
    for (let number = 1; number <= 20; number++) {
      await writer.append(numberedBlock(number));
      await advance(200);
    }
    expect(await numbersOf("predictions")).toHaveLength(20);
    expect(writer.usage.durableLagMs).toBe(4_000);
    expect(files.syncsRunningMax).toBe(1);
    gate.resolve();
    await settle();
    await advance(200);
    expect(writer.usage.durableLagMs).toBe(0);
    expect(files.syncCount).toBeLessThan(4); // one that hung, and one for all that came meanwhile
    expect(told).toEqual([]);
  });

  it("append() waits for the disk with durability batch, and syncs what waits together once", async () => {
    const gate = Promise.withResolvers<void>();
    files.syncGate = gate.promise;
    const writer = openWriter({ durability: BATCH });
    let answered = 0;
    const first = [1, 2, 3].map((number) => writer.append(numberedBlock(number)));
    for (const append of first) void append.then(() => answered++);
    await settle();
    expect(answered).toBe(0);
    gate.resolve();
    await Promise.all(first);
    expect(files.syncCount).toBe(1);
    expect(writer.usage.durableLagMs).toBe(0);
  });

  it("does not sync before a segment ends with durability off", async () => {
    const writer = openWriter({ durability: OFF });
    await writer.append(numberedBlock(1));
    await advance(ROLL_MS - 1);
    expect(files.syncCount).toBe(0);
    await advance(1);
    await advance(1);
    expect(files.syncCount).toBe(1);
    expect(writer.usage.durableLagMs).toBe(0);
  });

  it("sync() resolves when everything given before is on the disk", async () => {
    const writer = openWriter({ durability: OFF });
    const append = writer.append(numberedBlock(1));
    await writer.sync();
    await append;
    expect(files.syncCount).toBe(1);
    expect(writer.usage.durableLagMs).toBe(0);
  });

  it("keeps blocks on a full disk, tells once, and writes each once when there is space again", async () => {
    const writer = openWriter();
    await writer.append(numberedBlock(1));
    files.bytesLeft = 500; // a part of the second one
    const appends = [2, 3, 4].map((number) => writer.append(numberedBlock(number)));
    await settle();
    for (let i = 0; i < 20; i++) await advance(1_000);
    expect(told).toEqual(["failed: ENOSPC: no space left on device, write"]);
    expect(await numbersOf("predictions")).toEqual([1]);
    files.bytesLeft = Infinity;
    await advance(5_000);
    await Promise.all(appends);
    await writer.append(numberedBlock(5));
    expect(await numbersOf("predictions")).toEqual([1, 2, 3, 4, 5]);
    expect(told.at(-1)).toBe("recovered");
    expect(told).toHaveLength(2);
  });

  it("cuts off what of a failed write is there before it writes anything else", async () => {
    const writer = openWriter();
    files.bytesLeft = 600;
    files.truncateError = codeError("EIO: i/o error, ftruncate");
    const appends = [1, 2].map((number) => writer.append(numberedBlock(number)));
    await settle();
    files.bytesLeft = Infinity;
    await advance(1_000);
    files.truncateError = undefined;
    await advance(5_000);
    await Promise.all(appends);
    expect(await numbersOf("predictions")).toEqual([1, 2]);
    expect(told).toEqual(["failed: ENOSPC: no space left on device, write", "recovered"]);
  });

  it("tries again when a segment cannot be created", async () => {
    files.createError = codeError("EMFILE: too many open files, open");
    const writer = openWriter();
    const append = writer.append(numberedBlock(1));
    await settle();
    files.createError = undefined;
    await advance(1_000);
    await append;
    expect(await segmentNames()).toEqual(["predictions-1"]);
    expect(told).toEqual(["failed: EMFILE: too many open files, open", "recovered"]);
  });

  it("waits longer after each failure, at most 5 seconds", async () => {
    files.bytesLeft = 0;
    const writer = openWriter();
    const append = writer.append(numberedBlock(1));
    for (let i = 0; i < 600; i++) await advance(100);
    expect(files.writeCount).toBeGreaterThan(12);
    expect(files.writeCount).toBeLessThan(22);
    files.bytesLeft = Infinity;
    await advance(5_000);
    await append;
  });

  it("writes a block again, and has it once, when its sync failed with durability batch", async () => {
    const writer = openWriter({ durability: BATCH });
    await writer.append(numberedBlock(1));
    files.syncError = codeError("EIO: i/o error, fdatasync");
    const append = writer.append(numberedBlock(2));
    await settle();
    expect(await numbersOf("predictions")).toEqual([1]);
    files.syncError = undefined;
    await advance(1_000);
    await append;
    expect(await numbersOf("predictions")).toEqual([1, 2]);
    expect(told).toEqual(["failed: EIO: i/o error, fdatasync", "recovered"]);
  });

  it("tells once that the disk does not sync, and when it does again", async () => {
    files.syncError = codeError("EIO: i/o error, fdatasync");
    const writer = openWriter();
    for (let number = 1; number <= 10; number++) {
      await writer.append(numberedBlock(number));
      await advance(500);
    }
    expect(told).toEqual(["failed: EIO: i/o error, fdatasync"]);
    expect(writer.usage.durableLagMs).toBe(5_000);
    files.syncError = undefined;
    await advance(1_500);
    expect(told.at(-1)).toBe("recovered");
    expect(writer.usage.durableLagMs).toBe(0);
  });

  it("begins again in a new segment when somebody deletes the log, and tells", async () => {
    const writer = openWriter();
    await writer.append(numberedBlock(1));
    rmSync(folder, { recursive: true });
    await writer.append(numberedBlock(2));
    expect(await numbersOf("predictions")).toEqual([2]);
    expect(await segmentNames()).toEqual(["predictions-2"]);
    expect(told[0]).toMatch(/^failed: Cannot keep what was written: ".*" was deleted$/);
    expect(told[1]).toBe("recovered");
  });

  it("close() writes and syncs what was given, ends the segments and gives up the lock", async () => {
    const writer = openWriter({ durability: OFF });
    const append = writer.append(numberedBlock(1));
    await writer.close();
    await append;
    const [segment] = await new FileSegmentStore(folder).list();
    expect(segment).toMatchObject({ isEnded: true, isUnclean: false });
    expect(files.syncCount).toBe(1);
    await expect(writer.append(numberedBlock(2))).rejects.toThrow("its writer is closed");
    expect(clock.timerCount).toBe(0);
  });

  it("close() rejects what a full disk does not take, and leaves no empty segment", async () => {
    files.bytesLeft = 0;
    const writer = openWriter();
    const append = writer.append(numberedBlock(1));
    await settle();
    await Promise.all([writer.close(), expect(append).rejects.toThrow("ENOSPC")]);
    expect(readdirSync(join(folder, "wal"))).toEqual([]);
  });

  it("close() leaves nothing of a writer that had nothing to write", async () => {
    await openWriter().close();
    expect(existsSync(join(folder, "wal/w1"))).toBe(false);
  });

  it("tells how full the segments of all writers are, and what may still be written", async () => {
    const one = openWriter({ walBytesMax: MIB }, clock, "w1");
    const two = openWriter({ walBytesMax: MIB }, clock, "w2");
    await one.append(numberedBlock(1, { byteLength: 500_000 }));
    await two.append(numberedBlock(2, { byteLength: 400_000 }));
    await advance(1_000);
    expect(two.usage.walBytes).toBeGreaterThan(900_000);
    expect(two.usage.writtenBytes).toBeLessThan(500_000);
    expect(told).toEqual(["no_payload", "no_payload"]);
    await two.append(numberedBlock(3, { byteLength: 200_000 }));
    await advance(1_000);
    expect(told.slice(2)).toEqual(["nothing", "nothing"]);
  });

  function openWriter(
    settings: { readonly durability?: Durability; readonly walBytesMax?: number } = {},
    writerClock: Clock = clock,
    name = "w1",
  ): LocalSegmentWriter {
    const writer = new LocalSegmentWriter({
      folder,
      writer: name,
      rollMs: ROLL_MS,
      durability: EVERY_200_MS,
      walBytesMax: 2 ** 40,
      diskFreeMin: 0,
      ...settings,
      files,
      clock: writerClock,
      events: {
        level: (level) => told.push(level),
        failed: (error) => told.push(`failed: ${error.message}`),
        recovered: () => told.push("recovered"),
      },
    });
    writers.push(writer);
    return writer;
  }

  /** Moves the time, and lets what that began come to its end. */
  async function advance(ms: number): Promise<void> {
    clock.advanceMs(ms);
    await settle();
  }

  async function numbersOf(table: string): Promise<readonly number[]> {
    const read = await readNumbers(new FileSegmentStore(folder), ({ id }) => id.table === table);
    expect(read.damages).toEqual([]);
    return read.numbers;
  }

  async function segmentNames(): Promise<readonly string[]> {
    const segments = await new FileSegmentStore(folder).list();
    return segments.map(({ id }) => `${id.table}-${id.number}`);
  }

  async function endedNames(): Promise<readonly string[]> {
    const segments = await new FileSegmentStore(folder).list();
    return segments.filter(({ isEnded }) => isEnded).map(({ id }) => `${id.table}-${id.number}`);
  }
});

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await nextTurn();
}
