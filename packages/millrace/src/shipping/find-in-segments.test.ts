import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileSegmentStore } from "../adapters/segments-file/file-segment-store.ts";
import { LocalSegmentWriter } from "../adapters/segments-file/local-segment-writer.ts";
import { systemFiles } from "../adapters/segments-file/segment-files.ts";
import { BlockWriter } from "../core/predictions/block-writer.ts";
import type { LoggedPrediction } from "../core/predictions/logged-prediction.ts";
import { readPredictionKey } from "../core/predictions/prediction-key.ts";
import type { PredictionRow } from "../core/predictions/prediction-row.ts";
import { fp32, testRecord } from "../core/predictions/test-record.ts";
import { TestClock } from "../core/test-clock.ts";
import type { SegmentStore } from "../ports/segments.ts";
import { findInSegments } from "./find-in-segments.ts";

/** An id that was made at a time. */
function idAt(ms: number, number = 0): string {
  const time = ms.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${String(number).padStart(12, "0")}`;
}

/** A prediction that came just now. */
function recent(members: Partial<LoggedPrediction> = {}): LoggedPrediction {
  return testRecord({ receivedUs: Date.now() * 1000, ...members });
}

/** What a shadow said of the same request. */
function shadowOf(record: LoggedPrediction, name: string): LoggedPrediction {
  return { ...record, context: { ...record.context, role: "shadow", shadow: name } };
}

describe("findInSegments()", () => {
  let folder: string;
  let store: SegmentStore;
  const writers: LocalSegmentWriter[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "millrace-find-"));
    store = new FileSegmentStore(folder);
  });
  afterEach(async () => {
    for (const writer of writers.splice(0)) await writer.close();
    rmSync(folder, { recursive: true });
  });

  function open(writer: string): LocalSegmentWriter {
    const silent = (): void => undefined;
    const opened = new LocalSegmentWriter({
      writer,
      folder,
      files: systemFiles,
      rollMs: 60_000,
      durability: { kind: "off" },
      walBytesMax: 1e9,
      diskFreeMin: 0,
      clock: new TestClock(),
      events: { level: silent, failed: silent, recovered: silent },
    });
    writers.push(opened);
    return opened;
  }

  async function write(writer: LocalSegmentWriter, ...records: LoggedPrediction[]): Promise<void> {
    const block = new BlockWriter();
    for (const record of records) expect(block.add(record)).toBe(true);
    await writer.append(block.take());
  }

  async function find(id: string): Promise<readonly PredictionRow[] | undefined> {
    const key = readPredictionKey(id);
    if (key === undefined) throw new Error(`"${id}" is no id`);
    return findInSegments(store, key);
  }

  test("finds a prediction in a segment that is still written, whichever process writes it", async () => {
    const ids = [idAt(Date.now(), 1), idAt(Date.now(), 2)];
    for (const [i, predictionId] of ids.entries()) {
      const records = [recent(), recent({ predictionId }), recent()];
      await write(open(`p${i}-0001`), ...records);
    }
    for (const [i, id] of ids.entries()) {
      expect(await find(id)).toMatchObject([{ prediction_id: id, node: `p${i}-0001` }]);
    }
    expect(await find(idAt(Date.now(), 3))).toBeUndefined();
  });

  test("gives the rows of a request, the first 16 of them, or the one that is asked for", async () => {
    const predictionId = idAt(Date.now());
    const values = Array.from({ length: 40 }, (_, i) => i);
    const inputs = [fp32("input", [20, 2], values)];
    const record = recent({ predictionId, rowCount: 20, inputs, outputs: undefined });
    await write(open("p0-0001"), record);
    const rows = await find(predictionId);
    expect(rows?.map(({ row_index }) => row_index)).toEqual(values.slice(0, 16));
    expect(await find(`${predictionId}#19`)).toMatchObject([
      { prediction_id: `${predictionId}#19`, row_index: 19 },
    ]);
    expect(await find(`${predictionId}#20`)).toBeUndefined();
  });

  test("gives what shadows said behind the answer, once each, and not without it", async () => {
    const predictionId = idAt(Date.now());
    const inputs = [fp32("input", [2, 1], [1, 2])];
    const answer = recent({ predictionId, rowCount: 2, inputs, outputs: undefined });
    const writer = open("p0-0001");
    await write(writer, shadowOf(answer, "rf"));
    expect(await find(predictionId)).toBeUndefined();
    await write(writer, answer, recent());
    await write(writer, shadowOf(answer, "linear"));
    const rows = await find(predictionId);
    expect(rows?.map(({ shadow, row_index }) => [shadow, row_index])).toEqual([
      ["rf", 0],
      [null, 0],
      [null, 1],
      ["linear", 0],
    ]);
  });

  test("takes an id that another prediction carries in its data for what it is", async () => {
    const predictionId = idAt(Date.now());
    const writer = open("p0-0001");
    await write(writer, recent({ requestId: predictionId }));
    expect(await find(predictionId)).toBeUndefined();
    await write(writer, recent({ predictionId }));
    expect(await find(predictionId)).toMatchObject([{ prediction_id: predictionId }]);
  });

  test("finds the first, the last and any other one of a large segment by its time, and reads little of it", async () => {
    const startMs = Date.now() - 100_000;
    const writer = open("p0-0001");
    const data = fp32("input", [1, 2_000], Array<number>(2_000).fill(1));
    const ids: string[] = [];
    for (let second = 0; second < 100; second++) {
      const records = Array.from({ length: 10 }, (_, i) => {
        const madeMs = startMs + second * 1000 + i * 100;
        ids.push(idAt(madeMs, i));
        const receivedUs = madeMs * 1000;
        return testRecord({ predictionId: idAt(madeMs, i), receivedUs, inputs: [data] });
      });
      await write(writer, ...records);
    }
    let blocks = 0;
    const counting: SegmentStore = {
      list: () => store.list(),
      read: async function* (id, from, onDamage) {
        for await (const block of store.read(id, from, onDamage)) {
          blocks++;
          yield block;
        }
      },
      remove: () => Promise.reject(new Error("nobody asks")),
    };
    const [{ byteLength } = { byteLength: 0 }] = await store.list();
    expect(byteLength).toBeGreaterThan(7e6);
    for (const id of [ids[0], ids[999], ids[437], ids[500]]) {
      const key = readPredictionKey(id ?? "");
      blocks = 0;
      expect(key && (await findInSegments(counting, key))).toMatchObject([{ prediction_id: id }]);
      expect(blocks).toBeLessThan(25);
    }
    blocks = 0;
    const later = readPredictionKey(idAt(startMs - 200_000));
    expect(later && (await findInSegments(counting, later))).toBeUndefined();
    expect(blocks).toBeLessThan(8);
  });

  test("finds a prediction that took long behind those that came after it", async () => {
    const nowMs = Date.now();
    const writer = open("p0-0001");
    const quick = (ms: number): LoggedPrediction => testRecord({ receivedUs: (nowMs + ms) * 1000 });
    await write(writer, quick(10));
    await write(writer, quick(30_000));
    const slow = { predictionId: idAt(nowMs), receivedUs: nowMs * 1000, totalUs: 31_000_000 };
    await write(writer, quick(30_900), testRecord(slow));
    expect(await find(slow.predictionId)).toMatchObject([{ total_us: 31_000_000 }]);
  });

  test("goes on where a segment is deleted while it looks", async () => {
    const predictionId = idAt(Date.now());
    await write(open("p0-0001"), recent());
    await write(open("p1-0001"), recent({ predictionId }));
    const listed = await store.list();
    const [first] = listed;
    if (first !== undefined) await store.remove(first.id);
    const stale: SegmentStore = {
      list: () => Promise.resolve(listed),
      read: (id, from, onDamage) => store.read(id, from, onDamage),
      remove: () => Promise.reject(new Error("nobody asks")),
    };
    const key = readPredictionKey(predictionId);
    expect(key && (await findInSegments(stale, key))).toMatchObject([{ node: "p1-0001" }]);
  });
});
