import { mkdirSync, watch } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { DuckDbQueryEngine } from "../../packages/millrace/src/adapters/parquet-duckdb/query-engine.ts";
import { TestRandom } from "../../packages/millrace/src/core/test-random.ts";
import type { LogOrder } from "../../packages/millrace/src/shipping/log-messages.ts";
import { LogProcess } from "../../packages/millrace/src/supervisor/log-process.ts";
import { eventually, ROOT } from "../e2e/millrace-process.ts";
import { blockOf, contextOf, feedbackBlockOf, LogWorld, NOON_US } from "../query/log-world.ts";

/** Each takes about half a second of processor time. */
const ROUNDS = Number(process.env["KILL_ROUNDS"] ?? 12);
/** Segments the process ships, at most, and time from then on, at most, until it is killed. */
const SHIPPED_MAX = 3;
const ALIVE_MS_MAX = 60;
/** One that has nothing to ship is killed then. */
const PATIENCE_MS = 6_000;

/** Files whose appearance is a moment to be killed at: between it and what follows, everything must hold. */
const MOMENTS: [RegExp, ...RegExp[]] = [
  /^p0-.*\.parquet$/, // of a segment whose cursor is not saved yet
  /^r-.*\.tmp$/, // made of others, and not one of the table yet
  /^r-.*\.parquet$/, // one of the table, and the others are there yet
];

const ENTRY = join(ROOT, "packages/millrace/src/log-process-entry.ts");
const HOUR_US = 3_600_000_000;

/** What was written, and all that anybody may find. */
class Written {
  predictions = 0;
  feedback = 0;
  readonly #world: LogWorld;
  readonly #random: TestRandom;

  constructor(world: LogWorld, random: TestRandom) {
    this.#world = world;
    this.#random = random;
  }

  /** As a process that lives for a round: some segments of both tables, in hours that are over. */
  async more(round: number): Promise<void> {
    const writer = this.#world.writer(`p0-${String(round).padStart(16, "0")}`);
    const blockCount = 1 + this.#random.below(3);
    for (let block = 0; block < blockCount; block++) {
      const rows = Array.from({ length: 1 + this.#random.below(20) }, () => this.#prediction());
      await writer.append(blockOf(...rows));
      const labels = Array.from({ length: this.#random.below(5) }, () => this.#label());
      if (labels.length > 0) await writer.append(feedbackBlockOf(...labels));
    }
    await writer.close();
  }

  #prediction() {
    const number = String(this.predictions++).padStart(12, "0");
    return {
      predictionId: `01992f3c-7a5e-7000-8000-${number}`,
      receivedUs: NOON_US - this.#random.below(3) * HOUR_US - 24 * 30 * HOUR_US,
      context: contextOf({ model: `m${this.#random.below(2)}` }),
    };
  }

  #label() {
    return { feedback_id: `f${this.feedback++}`, received_ts: NOON_US - 24 * 30 * HOUR_US };
  }
}

it("kill -9 of the log process at any point: no row twice, none lost, at any time", async () => {
  const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  const random = new TestRandom(seed);
  await using world = new LogWorld();
  process.env["NODE_COMPILE_CACHE"] ??= join(world.folder, "../compiled"); // starts in a third of the time
  const written = new Written(world, random);
  const engine = new DuckDbQueryEngine({
    folder: world.folder,
    segments: world.segments,
    memoryBytesMax: 256 * 2 ** 20,
    timeoutMs: 20_000,
    threadCount: 1,
  });
  const order = orderOf(world);
  const check = async (round: number): Promise<void> => {
    const found = await countRows(engine);
    const { predictions, feedback } = written;
    expect(found, `seed ${seed}, round ${round}`).toEqual([
      [predictions, predictions],
      [feedback, feedback],
    ]);
  };
  let momentCount = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await written.more(round);
    const seen = round % 4 === 0 ? undefined : fileSeen(world, random.pick(MOMENTS));
    const log = await start(order);
    if (seen === undefined) {
      await hasShipped(world, random.below(SHIPPED_MAX + 1));
      await delay(random.below(ALIVE_MS_MAX));
    } else {
      if (await seen) momentCount++;
      if (random.below(2) === 0) await delay(random.below(10));
    }
    log.kill();
    await log.ended;
    if (round % 5 <= 1) await check(round);
  }
  expect(momentCount).toBeGreaterThan(ROUNDS / 10); // else it was killed when nothing was under way
  const last = await start(order);
  await eventually(() => isEmpty(world), "the last segment", 60_000);
  await eventually(async () => (await last.status()).isShipping, "its turn");
  const { sinks } = await last.status();
  expect(sinks[0]).toMatchObject({ errors: 0, unreadable: 0, setAside: 0 });
  last.kill();
  await last.ended;
  // One that has nothing to ship tidies at once: a file for each of three hours of two models, and one of the feedback.
  const tidy = await start(order);
  const fileCount = async (): Promise<number> =>
    (await tidy.status()).tables.reduce((sum, { files }) => sum + files, 0);
  await eventually(async () => (await fileCount()) <= 7, "compaction", 60_000);
  await check(ROUNDS);
  tidy.stop();
  await tidy.ended;
  await engine.close();
}, 600_000);

async function start(order: LogOrder): Promise<LogProcess> {
  const log = new LogProcess({ entry: ENTRY, methods: {}, onLine: () => undefined });
  await log.start(order);
  return log;
}

async function isEmpty(world: LogWorld): Promise<boolean> {
  return (await world.segments.list()).length === 0;
}

/** Waits until so many segments are gone. @returns false when they stay. */
async function hasShipped(world: LogWorld, count: number): Promise<boolean> {
  const before = (await world.segments.list()).length;
  const startMs = performance.now();
  while ((await world.segments.list()).length > Math.max(0, before - count)) {
    if (performance.now() - startMs > PATIENCE_MS) return false;
    await delay(2);
  }
  return true;
}

/** Waits until a file with such a name appears. @returns false when none does. */
async function fileSeen({ folder }: LogWorld, name: RegExp): Promise<boolean> {
  mkdirSync(join(folder, "predictions"), { recursive: true });
  const watcher = watch(join(folder, "predictions"), { recursive: true });
  const seen = new Promise<boolean>((resolve) => {
    watcher.on("change", (_kind, path) => {
      if (name.test(basename(String(path)))) resolve(true);
    });
  });
  const isSeen = await Promise.race([seen, delay(PATIENCE_MS, false)]);
  watcher.close();
  return isSeen;
}

function orderOf(world: LogWorld): LogOrder {
  return {
    stateDir: dirname(world.folder),
    levels: { default: "error" },
    log: {
      sink: "parquet",
      text: undefined,
      durability: { kind: "off" },
      whenFull: "drop",
      rollMs: 1_000,
      walBytesMax: 2 ** 30,
      diskFreeMin: 0,
      retention: { rowsMs: 1e13, payloadMs: 1e13, isHeld: false },
      redact: {},
      key: undefined,
      feedbackWindowMs: 1e9,
      query: { timeoutMs: 1e4, memoryBytesMax: 2 ** 28 },
    },
  };
}

/** Rows and different rows of each table, for whoever asks now. */
async function countRows(engine: DuckDbQueryEngine): Promise<unknown> {
  const sql = `select count(*), count(distinct prediction_id) from predictions
    union all select count(*), count(distinct feedback_id) from feedback`;
  const ask = { sql, format: "json", parameters: [], rowsMax: 10, timeoutMs: undefined } as const;
  const result = await engine.query(ask);
  return result.kind === "rows" ? result.rows : undefined;
}
