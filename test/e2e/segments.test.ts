import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileSegmentStore } from "../../packages/millrace/src/adapters/segments-file/file-segment-store.ts";
import {
  readNumbers,
  type NumbersRead,
} from "../../packages/millrace/src/adapters/segments-file/test-blocks.ts";
import { segmentFileName } from "../../packages/millrace/src/core/predictions/segment-name.ts";
import { TestRandom } from "../../packages/millrace/src/core/test-random.ts";
import type { SegmentWriterOrder } from "../fixtures/segment-writer-process.ts";
import { ROOT } from "./millrace-process.ts";

/** Of a failed run: MILLRACE_TEST_SEED repeats it, except for what the system decides. */
const SEED = Number(process.env["MILLRACE_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** Processes that are killed, and how many of them run side by side. */
const KILLS = Number(process.env["KILL_ROUNDS"] ?? 20);
const SIDE_BY_SIDE = 2;

/** Longest time from the first answer to the kill. */
const KILL_MS_MAX = 40;

const PATIENCE_MS = 20_000;

/** Segments of 64 KiB that also end by time: kills hit their beginnings and ends. */
const SMALL_SEGMENTS = { rollMs: 8, walBytesMax: 2 ** 20 };

describe(`segments of real processes (seed ${SEED})`, () => {
  let folder: string;
  const processes: WriterProcess[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "millrace-segments-"));
  });
  afterEach(async () => {
    for (const process of processes.splice(0)) await process.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it(`keep every answered block, each once, in order, whenever kill -9 comes: ${KILLS} times`, async () => {
    // One that ends by itself leaves its compiled modules to those that do not: they start in half the time.
    const first = start({ folder: join(folder, "first") });
    await first.line("end");
    await first.end();
    const random = new TestRandom(SEED);
    let round = 0;
    const killNext = async (): Promise<void> => {
      while (round < KILLS) {
        const number = round++;
        await killOnce(join(folder, String(number)), random, number);
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, killNext));
    expect(round).toBe(KILLS);
  }, 240_000);

  it("hold what two processes write at once, while a third one reads and removes what has ended", async () => {
    const count = 250;
    const names = ["p0-a", "p1-b"];
    const writers = names.map((writer, i) =>
      start({ ...SMALL_SEGMENTS, folder, writer, count, seed: SEED + i }),
    );
    const store = new FileSegmentStore(folder);
    const found = new Map<string, number[]>(names.map((name) => [name, []]));
    const takeEnded = async (): Promise<void> => {
      for (const { id, isEnded } of await store.list()) {
        if (!isEnded) continue;
        const { numbers, damages } = await readNumbers(
          store,
          (segment) => segment.id.writer === id.writer && segment.id.number === id.number,
        );
        expect(damages).toEqual([]);
        found.get(id.writer)?.push(...numbers);
        await store.remove(id);
      }
    };
    const ends = Promise.all(writers.map((writer) => writer.line("end")));
    let isOver = false;
    void ends.then(() => (isOver = true));
    while (!isOver) {
      await takeEnded();
      await delay(5);
    }
    await ends;
    await takeEnded();
    for (const name of names) expect(found.get(name), `writer ${name}`).toEqual(upTo(count));
    expect(await store.list()).toEqual([]);
  });

  it("take a block whole or not at all when the disk is full, and all of them when there is space", async () => {
    const count = 200;
    const order = { folder, count, blockBytesMax: 20_000, ballastBytes: 3 * 2 ** 20 };
    const writer = start(order, smallDisk(folder));
    // The writer sees another disk there than this process does.
    const readCopy = async (name: string): Promise<NumbersRead> => {
      cpSync(join(`/proc/${writer.pid}/root`, folder), join(folder, name), { recursive: true });
      return readNumbers(new FileSegmentStore(join(folder, name)));
    };
    expect(await writer.line("failed")).toMatch(/ENOSPC|EFBIG/);
    const { numbers, damages } = await readCopy("full");
    expect(damages).toEqual([]);
    expect(numbers.length).toBeGreaterThan(0);
    expect(numbers.length).toBeLessThan(count);
    expect(numbers).toEqual(upTo(numbers.length));
    writer.free();
    execFileSync("prlimit", ["--pid", String(writer.pid), "--fsize=unlimited"]);
    await writer.line("recovered");
    await writer.line("end");
    expect(await readCopy("freed")).toEqual({ numbers: upTo(count), damages: [] });
    expect(writer.acked()).toEqual(upTo(count));
    expect(writer.lines.filter((line) => line.startsWith("failed"))).toHaveLength(1);
  });

  it("cut off the part of a block that a limit of the system let through, and go on behind it", async () => {
    const writer = start({ folder, count: 20 }, ["prlimit", "--fsize=50001:unlimited"]);
    expect(await writer.line("failed")).toMatch(/EFBIG/);
    const store = new FileSegmentStore(folder);
    const before = await readNumbers(store);
    expect(before).toEqual({ numbers: upTo(before.numbers.length), damages: [] });
    execFileSync("prlimit", ["--pid", String(writer.pid), "--fsize=unlimited"]);
    await writer.line("end");
    expect(await readNumbers(store)).toEqual({ numbers: upTo(20), damages: [] });
  });

  async function killOnce(roundFolder: string, random: TestRandom, round: number): Promise<void> {
    const durability = random.pick<SegmentWriterOrder["durability"]>([
      { kind: "off" },
      { kind: "batch" },
      { kind: "interval", everyMs: 5 },
    ]);
    const killMs = random.next() * KILL_MS_MAX;
    const corruptShare = random.next();
    const seed = SEED + round;
    const order = { ...SMALL_SEGMENTS, folder: roundFolder, durability, count: 1e6, seed };
    const writer = start(order);
    await writer.line("acked");
    await delay(killMs);
    await writer.kill();
    const acked = writer.acked();
    const store = new FileSegmentStore(roundFolder);
    const { numbers, damages } = await readNumbers(store);
    const what = `round ${round}, ${durability.kind}`;
    expect(damages, `${what}`).toEqual([]);
    expect(numbers, `${what}`).toEqual(upTo(numbers.length));
    expect(numbers.length, `${what}`).toBeGreaterThanOrEqual(acked.length);
    expect(acked, `${what}`).toEqual(upTo(acked.length));
    await checkCorrupt(store, roundFolder, corruptShare);
    rmSync(roundFolder, { recursive: true });
  }

  /** @param share where in the last segment that has blocks, 0 to 1. */
  async function checkCorrupt(
    store: FileSegmentStore,
    logFolder: string,
    share: number,
  ): Promise<void> {
    const before = await readNumbers(store);
    const segments = await store.list();
    expect(segments.every(({ isEnded }) => isEnded)).toBe(true);
    const last = segments.findLast(({ byteLength }) => byteLength > 0);
    if (last === undefined) return;
    const path = join(logFolder, "wal", last.id.writer, segmentFileName(last.id));
    const bytes = readFileSync(path);
    const at = Math.floor(share * bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ 0x40;
    writeFileSync(path, bytes);
    const { numbers, damages } = await readNumbers(store);
    // At most the one that was hit; nothing when that was an end frame, or a block that was not whole.
    const missing = before.numbers.filter((number) => !numbers.includes(number));
    expect(missing.length).toBeLessThan(2);
    expect(numbers).toEqual(before.numbers.filter((number) => !missing.includes(number)));
    if (missing.length === 1) expect(damages).toHaveLength(1);
  }

  function start(
    order: Partial<SegmentWriterOrder> & { readonly folder: string },
    command: readonly string[] = [],
  ): WriterProcess {
    const process = new WriterProcess(
      {
        writer: "w",
        durability: { kind: "interval", everyMs: 5 },
        rollMs: 60_000,
        walBytesMax: 2 ** 30,
        count: 10,
        blockBytesMax: 50_000,
        seed: SEED,
        ballastBytes: 0,
        ...order,
      },
      command,
      join(folder, "compiled"),
    );
    processes.push(process);
    return process;
  }
});

/** What to run a command with so that `folder` is on a disk of 4 MiB; where that is not allowed, files have a limit. */
function smallDisk(folder: string): readonly string[] {
  const isRoot = process.getuid?.() === 0;
  const unshare = ["unshare", isRoot ? "-m" : "-rm"];
  const mount = `mount -t tmpfs -o size=4m tmpfs "${folder}"`;
  const [command, ...args] = [...unshare, "sh", "-c", mount];
  if (spawnSync(command, args).status !== 0) return ["prlimit", "--fsize=1600000:unlimited"];
  return [...unshare, "sh", "-c", `${mount} && exec "$@"`, "sh"];
}

/** A process that writes segments until it is done or killed. */
class WriterProcess {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  #isEnded = false;
  #text = "";
  #onText: () => void = () => undefined;

  constructor(order: SegmentWriterOrder, command: readonly string[], compiledFolder: string) {
    const program = join(ROOT, "test/fixtures/segment-writer-process.ts");
    const [file, ...args] = [
      ...command,
      process.execPath,
      "--conditions=@millrace/source",
      program,
      JSON.stringify(order),
    ];
    this.#child = spawn(file, args, {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, NODE_COMPILE_CACHE: compiledFolder },
    });
    this.#exit = once(this.#child, "close").then(() => {
      this.#isEnded = true;
      this.#onText();
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (this.#text + text).split("\n");
      this.#text = lines.pop() ?? "";
      this.lines.push(...lines);
      this.#onText();
    });
  }

  get pid(): number {
    return this.#child.pid ?? NaN;
  }

  /** @returns the first line that begins so. @throws when the process ends without it. */
  async line(beginning: string): Promise<string> {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const found = this.lines.find((line) => line.startsWith(beginning));
      if (found !== undefined) return found;
      if (this.#isEnded) throw new Error(`The writer ended without "${beginning}"`);
      deadline.throwIfAborted();
      await Promise.race([new Promise<void>((resolve) => (this.#onText = resolve)), delay(100)]);
    }
  }

  /** Numbers of the blocks that were answered, in the order of the answers. */
  acked(): readonly number[] {
    return this.lines.flatMap((line) => (line.startsWith("acked ") ? [Number(line.slice(6))] : []));
  }

  /** Gives back the space that its ballast takes. */
  free(): void {
    this.#child.stdin?.write("free\n");
  }

  /** Lets it end, which it does when it has nothing to do. */
  async end(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exit;
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exit;
  }
}

function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, number) => number);
}
