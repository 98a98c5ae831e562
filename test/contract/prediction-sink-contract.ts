import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { JsonValue } from "../../packages/millrace/src/core/json.ts";
import { BlockWriter } from "../../packages/millrace/src/core/predictions/block-writer.ts";
import type { ExposureRow } from "../../packages/millrace/src/core/predictions/exposure-row.ts";
import type { FeedbackRow } from "../../packages/millrace/src/core/predictions/feedback-row.ts";
import type { LogTable } from "../../packages/millrace/src/core/predictions/log-block.ts";
import type { LoggedPrediction } from "../../packages/millrace/src/core/predictions/logged-prediction.ts";
import { testRecord } from "../../packages/millrace/src/core/predictions/test-record.ts";
import type {
  PredictionSink,
  SinkBatch,
} from "../../packages/millrace/src/ports/prediction-sink.ts";
import type { ReadBlock } from "../../packages/millrace/src/ports/segments.ts";

export interface SinkOptions {
  /** Of the test's own. */
  readonly folder: string;
  readonly isForgotten: (unitHash: string, tsUs: number) => boolean;
}

export interface PredictionSinkContract {
  readonly name: string;
  /** On the same folder again it is the same sink after a new start. */
  readonly create: (options: SinkOptions) => PredictionSink;
  /** Ids of the predictions that are there, a row each: of one writer in the order they came. */
  readonly read: (folder: string) => Promise<readonly string[]>;
  /** Ids of the feedback that is there; undefined where a sink takes none. */
  readonly readFeedback: ((folder: string) => Promise<readonly string[]>) | undefined;
  /** Ids of the predictions of the exposures that are there; undefined where a sink takes none. */
  readonly readExposures: ((folder: string) => Promise<readonly string[]>) | undefined;
  readonly skip: readonly { readonly test: string; readonly reason: string }[];
}

const never = new AbortController().signal;
const WRITER = "p0-01992f3c7a5e0001";
const HOUR_US = 3_600_000_000;

function idOf(number: number): string {
  return `01992f3c-7a5e-7cc1-b6d4-${String(number).padStart(12, "0")}`;
}

function prediction(number: number, members: Partial<LoggedPrediction> = {}): LoggedPrediction {
  return testRecord({ predictionId: idOf(number), requestId: undefined, ...members });
}

function blockOf(records: readonly LoggedPrediction[]): ReadBlock {
  const writer = new BlockWriter();
  for (const record of records) writer.add(record);
  const { bytes, recordCount } = writer.take();
  return { bytes, recordCount, endOffset: 0 };
}

function linesBlock(rows: readonly (FeedbackRow | ExposureRow)[]): ReadBlock {
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  return { bytes: Buffer.from(text), recordCount: rows.length, endOffset: 0 };
}

function feedback(number: number, members: Partial<FeedbackRow> = {}): FeedbackRow {
  return {
    ts: 1_763_740_800_000_000 + number,
    received_ts: 1_763_740_800_000_000 + number,
    feedback_id: `f${number}`,
    prediction_id: idOf(number),
    unit_hash: null,
    service: "iris",
    kind: "label",
    label: "setosa",
    event: null,
    value: null,
    source: null,
    attributes: '{"region":"eu \\"1\\""}',
    is_late: false,
    node: WRITER,
    ...members,
  };
}

function exposure(number: number, members: Partial<ExposureRow> = {}): ExposureRow {
  return {
    ts: 1_763_740_800_000_000 + number,
    service: "iris",
    experiment: "rf",
    phase: 1,
    variant: "control",
    unit_hash: null,
    prediction_id: idOf(number),
    propensity: 0.5,
    coverage: 1,
    hash: 0.25,
    node: WRITER,
    ...members,
  };
}

/** What a sink gets, one batch after the other: whole segments or parts of one, as it takes them. */
class Feed {
  readonly #unit: PredictionSink["unit"];
  readonly #table: LogTable;
  readonly #writer: string;
  #number = 1;
  #offset = 0;

  constructor(unit: PredictionSink["unit"], table: LogTable = "predictions", writer = WRITER) {
    this.#unit = unit;
    this.#table = table;
    this.#writer = writer;
  }

  /** @param isBroken reading fails after these blocks. */
  next(blocks: readonly ReadBlock[], isBroken = false): SinkBatch {
    const isWhole = this.#unit === "segment";
    const fromOffset = isWhole ? 0 : this.#offset;
    const segment = { writer: this.#writer, table: this.#table, number: this.#number };
    const placed = blocks.map((block, index) => ({
      ...block,
      endOffset: fromOffset + (index + 1) * 1_000,
    }));
    const toOffset = placed.at(-1)?.endOffset ?? fromOffset;
    if (isWhole) this.#number++;
    else this.#offset = toOffset;
    return { segment, fromOffset, toOffset, isWhole, blocks: () => readBlocks(placed, isBroken) };
  }
}

async function* readBlocks(
  blocks: readonly ReadBlock[],
  isBroken: boolean,
): AsyncIterable<ReadBlock> {
  for (const block of blocks) yield await Promise.resolve(block);
  if (isBroken) throw new Error("Cannot read: the disk is gone");
}

/** The same batch, whole. */
function mended(batch: SinkBatch, blocks: readonly ReadBlock[]): SinkBatch {
  return { ...batch, blocks: () => readBlocks(blocks, false) };
}

/** What every implementation of `PredictionSink` does. */
export function describePredictionSinkContract(contract: PredictionSinkContract): void {
  const { name, read, readFeedback, readExposures, skip } = contract;

  function test(text: string, run: (setting: Setting) => Promise<void>): void {
    const reason = skip.find((skipped) => skipped.test === text)?.reason;
    const title = reason === undefined ? text : `${text} (${reason})`;
    // eslint-disable-next-line vitest/valid-title, vitest/expect-expect -- both are where it is called
    it.skipIf(reason !== undefined)(title, async () => {
      await using setting = await Setting.create(contract);
      await run(setting);
    });
  }

  describe(`${name} as a prediction sink`, () => {
    test("write() takes batches in their order", async ({ folder, open }) => {
      const sink = await open();
      const feed = new Feed(sink.unit);
      await sink.write(feed.next([blockOf([prediction(1), prediction(2)])]), never);
      await sink.write(feed.next([blockOf([prediction(3)]), blockOf([prediction(4)])]), never);
      expect(await read(folder)).toEqual([1, 2, 3, 4].map(idOf));
      expect(sink.counts).toEqual({ rows: 4, unreadable: 0 });
    });

    test("write() takes a batch that is given twice once", async ({ folder, open }) => {
      const sink = await open();
      const feed = new Feed(sink.unit);
      const first = feed.next([blockOf([prediction(1), prediction(2)])]);
      const second = feed.next([blockOf([prediction(3)])]);
      for (const batch of [first, first, second, second]) await sink.write(batch, never);
      expect(await read(folder)).toEqual([1, 2, 3].map(idOf));
    });

    test("write() takes a request of several rows as these", async ({ folder, open }) => {
      const sink = await open();
      await sink.write(new Feed(sink.unit).next([blockOf([prediction(7, rowsOf(3))])]), never);
      expect(await read(folder)).toEqual([0, 1, 2].map((row) => `${idOf(7)}#${row}`));
    });

    test("write() takes a request that is not taken apart as one row", async ({ folder, open }) => {
      const sink = await open();
      const records = [prediction(1, rowsOf(5_000)), prediction(2, rowsOf(0)), prediction(3)];
      await sink.write(new Feed(sink.unit).next([blockOf(records)]), never);
      expect(await read(folder)).toEqual([1, 2, 3].map(idOf));
      expect(sink.counts).toEqual({ rows: 3, unreadable: 0 });
    });

    test("write() takes rows of many hours and models", async ({ folder, open }) => {
      const sink = await open();
      const { context, receivedUs } = prediction(0);
      const records = Array.from({ length: 40 }, (_, index) =>
        prediction(index, {
          receivedUs: receivedUs + (index % 4) * HOUR_US,
          context: { ...context, model: `m${index % 5}` },
        }),
      );
      const batch = new Feed(sink.unit).next([blockOf(records)]);
      await sink.write(batch, never);
      await sink.write(batch, never);
      expect((await read(folder)).toSorted()).toEqual(records.map((_, index) => idOf(index)));
    });

    test("write() keeps writers apart that count alike", async ({ folder, open }) => {
      const sink = await open();
      const feeds = ["p0-01992f3c7a5e0001", "p1-01992f3c7a5e0002"].map(
        (writer) => new Feed(sink.unit, "predictions", writer),
      );
      for (const [index, feed] of [...feeds, ...feeds].entries()) {
        await sink.write(feed.next([blockOf([prediction(index)])]), never);
      }
      expect((await read(folder)).toSorted()).toEqual([0, 1, 2, 3].map(idOf));
    });

    test("write() that fails leaves nothing half visible, and succeeds later", async ({
      folder,
      open,
    }) => {
      const sink = await open();
      const feed = new Feed(sink.unit);
      await sink.write(feed.next([blockOf([prediction(1)])]), never);
      const blocks = [blockOf([prediction(2)]), blockOf([prediction(3)])];
      const broken = feed.next(blocks, true);
      await expect(sink.write(broken, never)).rejects.toThrow("the disk is gone");
      expect(await read(folder)).toEqual([idOf(1)]);
      expect(sink.counts.rows).toBe(1);
      await sink.write(mended(broken, blocks), never);
      expect(await read(folder)).toEqual([1, 2, 3].map(idOf));
    });

    test("write() ends with the reason of its signal, and is taken once later", async ({
      folder,
      open,
    }) => {
      const sink = await open();
      const abort = new AbortController();
      const blocks = [blockOf([prediction(1)]), blockOf([prediction(2)])];
      const whole = new Feed(sink.unit).next(blocks);
      const cut: SinkBatch = {
        ...whole,
        async *blocks() {
          yield blocks[0] as ReadBlock;
          abort.abort(new Error("The shipper stops"));
          yield await Promise.resolve(blocks[1] as ReadBlock);
        },
      };
      await expect(sink.write(cut, abort.signal)).rejects.toThrow("The shipper stops");
      expect(await read(folder)).toEqual([]);
      await sink.write(whole, never);
      expect(await read(folder)).toEqual([1, 2].map(idOf));
    });

    test("open() goes on where its state says, when the last batch was not noted", async ({
      folder,
      open,
    }) => {
      const sink = await open();
      const feed = new Feed(sink.unit);
      const state = await sink.write(feed.next([blockOf([prediction(1)])]), never);
      const second = feed.next([blockOf([prediction(2)])]);
      await sink.write(second, never);
      await sink.close();
      const again = await open(state);
      await again.write(second, never);
      await again.write(feed.next([blockOf([prediction(3)])]), never);
      expect(await read(folder)).toEqual([1, 2, 3].map(idOf));
    });

    test("open() with a state of long ago takes once what is given again", async ({
      folder,
      open,
    }) => {
      const sink = await open();
      const feed = new Feed(sink.unit);
      const batches = [1, 2, 3, 4].map((number) => feed.next([blockOf([prediction(number)])]));
      let old: JsonValue | undefined;
      for (const [index, batch] of batches.entries()) {
        const state = await sink.write(batch, never);
        if (index === 0) old = state;
      }
      await sink.close();
      const again = await open(old);
      for (const batch of batches.slice(1)) await again.write(batch, never);
      expect(await read(folder)).toEqual([1, 2, 3, 4].map(idOf));
    });

    test("open() after the end of a process in the middle of a write", async ({ folder, open }) => {
      const sink = await open();
      const feed = new Feed(sink.unit);
      const state = await sink.write(feed.next([blockOf([prediction(1)])]), never);
      const blocks = [blockOf([prediction(2)]), blockOf([prediction(3)])];
      const broken = feed.next(blocks, true);
      await expect(sink.write(broken, never)).rejects.toThrow("the disk is gone");
      const again = await open(state); // nobody closed the one before
      await again.write(mended(broken, blocks), never);
      expect(await read(folder)).toEqual([1, 2, 3].map(idOf));
    });

    test("write() takes a batch of nothing", async ({ folder, open }) => {
      const sink = await open();
      await sink.write(new Feed(sink.unit).next([]), never);
      expect(await read(folder)).toEqual([]);
    });

    test("write() counts what it cannot read and takes the rest", async ({ folder, open }) => {
      const sink = await open();
      const garbage = {
        bytes: Buffer.from("no block of ours at all"),
        recordCount: 5,
        endOffset: 0,
      };
      const blocks = [blockOf([prediction(1)]), garbage, blockOf([prediction(2)])];
      await sink.write(new Feed(sink.unit).next(blocks), never);
      expect(await read(folder)).toEqual([1, 2].map(idOf));
      expect(sink.counts).toEqual({ rows: 2, unreadable: 5 });
    });

    test("write() leaves out the rows of who is forgotten", async ({ folder, open, forgotten }) => {
      const sink = await open();
      const feed = new Feed(sink.unit);
      forgotten.add("ann");
      const units = ["ann", "bob", undefined].map((unitHash, index) =>
        prediction(index, { unitHash }),
      );
      await sink.write(feed.next([blockOf(units)]), never);
      expect(await read(folder)).toEqual([1, 2].map(idOf));
    });

    if (readFeedback !== undefined) {
      test("write() takes both tables side by side", async ({ folder, open }) => {
        const sink = await open();
        const [predictions, labels] = [new Feed(sink.unit), new Feed(sink.unit, "feedback")];
        const batches = [
          predictions.next([blockOf([prediction(1)])]),
          labels.next([linesBlock([feedback(1), feedback(2, { unit_hash: "bob" })])]),
        ];
        await Promise.all(batches.map((batch) => sink.write(batch, never)));
        await sink.write(batches[1] as SinkBatch, never);
        expect(await read(folder)).toEqual([idOf(1)]);
        expect(await readFeedback(folder)).toEqual(["f1", "f2"]);
      });

      test("write() takes feedback as it was given, whatever it says", async ({ folder, open }) => {
        const sink = await open();
        const rows = [
          feedback(1, { label: "ä\n\u0000\u{1f600}\"'", ts: -5_000_000 }),
          feedback(2, { ts: 253_402_300_799_000_000, value: 1e300 }),
        ];
        const broken = {
          bytes: Buffer.from('{"ts":1,\n[]\nnull\n7\n'),
          recordCount: 4,
          endOffset: 0,
        };
        const blocks = [linesBlock(rows), broken];
        await sink.write(new Feed(sink.unit, "feedback").next(blocks), never);
        expect(await readFeedback(folder)).toEqual(["f1", "f2"]);
        expect(sink.counts).toEqual({ rows: 2, unreadable: 4 });
      });
    }

    test("write() takes exposures, or knows that it takes none", async ({
      folder,
      open,
      forgotten,
    }) => {
      const sink = await open();
      forgotten.add("ann");
      const rows = [
        exposure(1, { unit_hash: "bob" }),
        exposure(2, { unit_hash: "ann" }),
        exposure(3, { variant: "ä\n\u{1f600}" }),
      ];
      const broken = { bytes: Buffer.from('{"ts":1,\n[]\nnull\n'), recordCount: 3, endOffset: 0 };
      const batch = new Feed(sink.unit, "exposures").next([linesBlock(rows), broken]);
      await sink.write(batch, never);
      await sink.write(batch, never);
      expect(await readExposures?.(folder)).toEqual(readExposures && [1, 3].map(idOf));
      const rowCount = readExposures === undefined ? 0 : 4; // a batch that is given again counts again
      expect(sink.counts.rows).toBe(rowCount);
    });
  });
}

/** A request of so many rows, without inputs and outputs. */
function rowsOf(rowCount: number): Partial<LoggedPrediction> {
  return { rowCount, payload: "off", inputs: undefined, outputs: undefined, summary: undefined };
}

/** A folder of one test, and the sinks that were opened on it. */
class Setting implements AsyncDisposable {
  readonly folder: string;
  /** Hashes of units that are left out. */
  readonly forgotten = new Set<string>();
  readonly #create: PredictionSinkContract["create"];
  readonly #opened: PredictionSink[] = [];

  private constructor(folder: string, { create }: PredictionSinkContract) {
    this.folder = folder;
    this.#create = create;
  }

  static async create(contract: PredictionSinkContract): Promise<Setting> {
    return new Setting(await mkdtemp(join(tmpdir(), "millrace-sink-")), contract);
  }

  readonly open = async (state?: JsonValue): Promise<PredictionSink> => {
    const isForgotten = (unitHash: string): boolean => this.forgotten.has(unitHash);
    const sink = this.#create({ folder: this.folder, isForgotten });
    this.#opened.push(sink);
    await sink.open(state);
    return sink;
  };

  async [Symbol.asyncDispose](): Promise<void> {
    for (const sink of this.#opened) await sink.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
