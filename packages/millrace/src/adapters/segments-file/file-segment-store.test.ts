import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LogBlock } from "../../core/predictions/log-block.ts";
import { segmentFileName, type SegmentId } from "../../core/predictions/segment-name.ts";
import { TestClock } from "../../core/test-clock.ts";
import { TestRandom } from "../../core/test-random.ts";
import { FaultyFiles } from "./faulty-files.ts";
import { acquireFileLock } from "./file-lock.ts";
import { FileSegmentStore } from "./file-segment-store.ts";
import { blockHeader, endFrame, FRAME_HEADER_BYTES } from "./frame.ts";
import { LocalSegmentWriter } from "./local-segment-writer.ts";
import { numberedBlock, readNumbers } from "./test-blocks.ts";

const SEED = Number(process.env["MILLRACE_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const SALT = 77;

/** Of what a busy machine takes its time for. */
const PATIENCE = { timeout: 10_000 };

describe(`FileSegmentStore (seed ${SEED})`, () => {
  let folder: string;
  let store: FileSegmentStore;
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), "millrace-store-")), "log");
    store = new FileSegmentStore(folder);
  });
  afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

  it("list() gives nothing of a log that was never written", async () => {
    expect(await store.list()).toEqual([]);
  });

  it("list() gives segments by writer, table and number, and leaves out other files", async () => {
    for (const writer of ["p1-b", "p0-a"]) {
      for (const number of [10, 9]) put({ writer, table: "predictions", number }, [1]);
      put({ writer, table: "feedback", number: 1 }, [1]);
    }
    writeFileSync(join(folder, "wal/p0-a/predictions-1.txt"), "");
    writeFileSync(join(folder, "wal/stray"), "");
    const ids = (await store.list()).map(({ id }) => `${id.writer} ${id.table} ${id.number}`);
    expect(ids).toEqual([
      "p0-a feedback 1",
      "p0-a predictions 9",
      "p0-a predictions 10",
      "p1-b feedback 1",
      "p1-b predictions 9",
      "p1-b predictions 10",
    ]);
  });

  it("list() tells that a segment of a living writer has ended by the next one, or by its end frame", async () => {
    put(predictions(1), [1]);
    put(predictions(2), [2]);
    put({ writer: "w", table: "feedback", number: 1 }, [3], endFrame(SALT));
    const lock = acquireFileLock(join(folder, "wal/w/lock"));
    const states = (await store.list()).map(({ isEnded, isUnclean }) => ({ isEnded, isUnclean }));
    expect(states).toEqual([
      { isEnded: true, isUnclean: false },
      { isEnded: true, isUnclean: false },
      { isEnded: false, isUnclean: false },
    ]);
    lock?.release();
  });

  it("list() tells that a dead writer's segments have ended, and that nobody ended the last", async () => {
    put(predictions(1), [1]);
    put(predictions(2), [2]);
    const states = (await store.list()).map(({ isEnded, isUnclean }) => ({ isEnded, isUnclean }));
    expect(states).toEqual([
      { isEnded: true, isUnclean: false },
      { isEnded: true, isUnclean: true },
    ]);
  });

  it("list() does not take a block that looks like an end frame for one", async () => {
    // Whoever sends a prediction decides what the last bytes of a block are, but does not know the salt.
    const bytes = new Uint8Array(100);
    bytes.set(endFrame(SALT + 1), 100 - FRAME_HEADER_BYTES);
    putBytes(predictions(1), frameOf({ table: "predictions", recordCount: 1, bytes }));
    const lock = acquireFileLock(join(folder, "wal/w/lock"));
    expect((await store.list())[0]?.isEnded).toBe(false);
    lock?.release();
  });

  it("read() gives the blocks from an offset on, with where the next one begins", async () => {
    put(predictions(1), [1, 2, 3]);
    const ends: number[] = [];
    for await (const { endOffset } of store.read(predictions(1), 0, failOnDamage)) {
      ends.push(endOffset);
    }
    expect(ends.at(-1)).toBe(readFileSync(pathOf(predictions(1))).length);
    const rest: number[] = [];
    for await (const { bytes } of store.read(predictions(1), ends[0] ?? NaN, failOnDamage)) {
      rest.push(bytes[0] ?? NaN);
    }
    expect(rest).toEqual([2, 3]);
  });

  it("read() gives blocks that are longer than what is read at a time", async () => {
    const blocks = [1, 2, 3].map((number) =>
      numberedBlock(number, { byteLength: number * 1_500_000 }),
    );
    putBytes(predictions(1), Buffer.concat(blocks.map(frameOf)));
    expect(await readNumbers(store)).toEqual({ numbers: [1, 2, 3], damages: [] });
  });

  it("read() ends quietly before a frame that is not complete, wherever it is cut", async () => {
    put(predictions(1), [1, 2]);
    const whole = readFileSync(pathOf(predictions(1)));
    for (let length = whole.length / 2; length < whole.length; length += 7) {
      truncateSync(pathOf(predictions(1)), Math.floor(length));
      expect(await readNumbers(store), `${length} bytes`).toEqual({ numbers: [1], damages: [] });
      writeFileSync(pathOf(predictions(1)), whole);
    }
  });

  it("read() goes on where it ended when more has been written", async () => {
    put(predictions(1), [1]);
    const second = frameOf(numberedBlock(2));
    const offset = readFileSync(pathOf(predictions(1))).length;
    appendFileSync(pathOf(predictions(1)), second.subarray(0, 50));
    expect((await readNumbers(store)).numbers).toEqual([1]);
    appendFileSync(pathOf(predictions(1)), second.subarray(50));
    const found: number[] = [];
    for await (const { bytes } of store.read(predictions(1), offset, failOnDamage)) {
      found.push(bytes[0] ?? NaN);
    }
    expect(found).toEqual([2]);
  });

  it("read() skips a block with wrong bytes and tells how many records it had", async () => {
    put(predictions(1), [1, 2, 3]);
    flip(predictions(1), 500);
    const { numbers, damages } = await readNumbers(store);
    expect(numbers).toEqual([1, 3]);
    expect(damages).toEqual([
      `"${pathOf(predictions(1))}" is damaged: a block of 3 records at bytes 428 to 856`,
    ]);
  });

  it("read() goes on with the next frame where a header is damaged", async () => {
    put(predictions(1), [1, 2, 3]);
    flip(predictions(1), 428 + 13); // the length of the second
    const { numbers, damages } = await readNumbers(store);
    expect(numbers).toEqual([1, 3]);
    expect(damages).toEqual([
      `"${pathOf(predictions(1))}" is damaged: no block can be told from byte 428 to byte 856`,
    ]);
  });

  it("read() does not take the inside of a damaged block for frames", async () => {
    const bytes = new Uint8Array(500);
    bytes.set(blockHeader(SALT + 1, 9, bytes.subarray(0, 0)), 100);
    const hostile: LogBlock = { table: "predictions", recordCount: 1, bytes };
    const frames = [numberedBlock(1), hostile, numberedBlock(2)].map(frameOf);
    putBytes(predictions(1), Buffer.concat(frames));
    flip(predictions(1), 428);
    const { numbers, damages } = await readNumbers(store);
    expect(numbers).toEqual([1, 2]);
    expect(damages).toHaveLength(1);
  });

  it("read() tells the damage when nothing but garbage or zeros follow", async () => {
    put(predictions(1), [1]);
    appendFileSync(pathOf(predictions(1)), new Uint8Array(5_000));
    const { numbers, damages } = await readNumbers(store);
    expect(numbers).toEqual([1]);
    expect(damages).toHaveLength(1);
    expect(damages[0]).toMatch(/from byte 428 to the end$/);
  });

  it("read() gives everything but the blocks that random damage hit, and tells it", async () => {
    const random = new TestRandom(SEED);
    for (let round = 0; round < 150; round++) {
      const count = 3 + random.below(30);
      const blocks = Array.from({ length: count }, (_, i) =>
        numberedBlock(i, { byteLength: 4 + random.below(3_000) }),
      );
      const frames = blocks.map(frameOf);
      const bytes = Buffer.concat(frames);
      const at = random.below(bytes.length);
      const length = 1 + random.below(200);
      for (let i = at; i < Math.min(at + length, bytes.length); i++) bytes[i] = random.below(256);
      putBytes(predictions(1), bytes);
      const { numbers, damages } = await readNumbers(store);
      let start = 0;
      const isHit = frames.map((frame) => {
        const begin = start;
        start += frame.length;
        return begin < at + length && at < start;
      });
      const unharmed = blocks.map((_, i) => i).filter((i) => !isHit[i]);
      expect(
        numbers.filter((number) => !isHit[number]),
        `round ${round}`,
      ).toEqual(unharmed);
      // Random bytes may be those that were there; a damaged last header looks like one that is not complete.
      const isTail = at + length >= bytes.length;
      if (numbers.length < count && !isTail) expect(damages.length).toBeGreaterThan(0);
      expect(damages.length).toBeLessThan(3);
    }
  });

  it("read() throws when the segment is gone", async () => {
    await expect(store.read(predictions(1), 0, failOnDamage).next()).rejects.toThrow("ENOENT");
  });

  it("remove() deletes a segment once, and the folder of a dead writer with its last one", async () => {
    put(predictions(1), [1]);
    put(predictions(2), [2]);
    await store.remove(predictions(1));
    await store.remove(predictions(1));
    expect(await readNumbers(store)).toEqual({ numbers: [2], damages: [] });
    await store.remove(predictions(2));
    expect(existsSync(join(folder, "wal/w"))).toBe(false);
    await store.remove(predictions(2));
  });

  it("remove() leaves the folder of a living writer, which goes on writing there", async () => {
    const clock = new TestClock();
    const events = { level() {}, failed() {}, recovered() {} };
    const writer = new LocalSegmentWriter({
      folder,
      writer: "w",
      rollMs: 1_000,
      durability: { kind: "off" },
      walBytesMax: 2 ** 40,
      diskFreeMin: 0,
      files: new FaultyFiles(),
      clock,
      events,
    });
    await writer.append(numberedBlock(1));
    clock.advanceMs(1_000);
    await expect.poll(async () => (await store.list())[0]?.isEnded, PATIENCE).toBe(true);
    await store.remove(predictions(1));
    expect(existsSync(join(folder, "wal/w/lock"))).toBe(true);
    await writer.append(numberedBlock(2));
    expect((await store.list()).map(({ id }) => id.number)).toEqual([2]);
    await writer.close();
  });

  it("remove() clears away folders that other dead writers left empty", async () => {
    mkdirSync(join(folder, "wal/killed"), { recursive: true });
    acquireFileLock(join(folder, "wal/killed/lock"))?.release();
    mkdirSync(join(folder, "wal/killed-earlier"));
    put(predictions(1), [1]);
    await store.remove(predictions(1));
    expect(existsSync(join(folder, "wal/killed"))).toBe(false);
    expect(existsSync(join(folder, "wal/killed-earlier"))).toBe(false);
  });

  function predictions(number: number): SegmentId {
    return { writer: "w", table: "predictions", number };
  }

  function pathOf(id: SegmentId): string {
    return join(folder, "wal", id.writer, segmentFileName(id));
  }

  function put(id: SegmentId, numbers: readonly number[], end = new Uint8Array(0)): void {
    const frames = numbers.map((number) => frameOf(numberedBlock(number)));
    putBytes(id, Buffer.concat([...frames, end]));
  }

  function putBytes(id: SegmentId, bytes: Uint8Array): void {
    mkdirSync(join(folder, "wal", id.writer), { recursive: true });
    writeFileSync(pathOf(id), bytes);
  }

  function flip(id: SegmentId, offset: number): void {
    const bytes = readFileSync(pathOf(id));
    bytes[offset] = (bytes[offset] ?? 0) ^ 0xff;
    writeFileSync(pathOf(id), bytes);
  }
});

function frameOf({ bytes, recordCount }: LogBlock): Buffer {
  return Buffer.concat([blockHeader(SALT, recordCount, bytes), bytes]);
}

function failOnDamage(text: string): void {
  throw new Error(text);
}
