import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { TestClock } from "../../packages/millrace/src/core/test-clock.ts";
import { UnusableBatchError } from "../../packages/millrace/src/ports/prediction-sink.ts";
import type { SinkLag } from "../../packages/millrace/src/shipping/segment-watch.ts";
import { Shipper } from "../../packages/millrace/src/shipping/shipper.ts";
import { blockOf, LogWorld, WRITER } from "../query/log-world.ts";
import { RecordingSink } from "./recording-sink.ts";

interface Line {
  readonly level: string;
  readonly message: string;
}

/** A world, two sinks, and the shipper between them. */
class ShipperWorld extends LogWorld {
  readonly clock = new TestClock();
  readonly lines: Line[] = [];
  readonly whole = new RecordingSink("whole", "segment");
  readonly parts = new RecordingSink("parts", "block");
  /** In [0, 1); 1 would be the longest wait. */
  random = 0.5;

  open(sinks = [this.whole, this.parts]): Promise<Shipper> {
    const say = (level: string) => (_fields: object, message: string) =>
      void this.lines.push({ level, message });
    return Shipper.open({
      store: this.segments,
      sinks,
      folder: this.folder,
      clock: this.clock,
      random: () => this.random,
      log: { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") },
    });
  }

  /** Writes a segment for each list of ids, and ends it. */
  async write(...segments: (readonly string[])[]): Promise<void> {
    for (const [index, ids] of segments.entries()) {
      const writer = this.writer(`p${index}-01992f3c7a5e000${index}`);
      for (const id of ids) await writer.append(blockOf({ predictionId: id }));
      await writer.close();
    }
  }

  cursor(sink: string): unknown {
    return JSON.parse(readFileSync(join(this.folder, "cursors", `${sink}.json`), "utf8"));
  }
}

describe("Shipper", () => {
  it("turn() gives every sink everything, once, and deletes the segments that all have", async () => {
    await using world = new ShipperWorld();
    await world.write(["a", "b"], ["c"]);
    const shipper = await world.open();
    await shipper.turn();
    expect(world.whole.ids.toSorted()).toEqual(["a", "b", "c"]);
    expect(world.parts.ids.toSorted()).toEqual(["a", "b", "c"]);
    expect(await world.segments.list()).toEqual([]);
    await shipper.turn();
    expect(world.whole.taken).toHaveLength(2);
    await shipper.stop();
  });

  it("turn() gives parts as they come, and whole segments when they end", async () => {
    await using world = new ShipperWorld();
    const writer = world.writer();
    const shipper = await world.open();
    await writer.append(blockOf({ predictionId: "a" }));
    await shipper.turn();
    await writer.append(blockOf({ predictionId: "b" }));
    await shipper.turn();
    expect([world.parts.ids, world.whole.ids]).toEqual([["a", "b"], []]);
    expect(world.parts.taken[1]?.fromOffset).toBe(world.parts.taken[0]?.toOffset);
    await writer.close();
    await shipper.turn();
    expect([world.parts.ids, world.whole.ids]).toEqual([
      ["a", "b"],
      ["a", "b"],
    ]);
    expect(await world.segments.list()).toEqual([]);
    await shipper.stop();
  });

  it("open() goes on where the cursors are, with the state of each sink", async () => {
    await using world = new ShipperWorld();
    const writer = world.writer();
    await writer.append(blockOf({ predictionId: "a" }));
    const first = await world.open();
    await first.turn();
    await first.stop();
    await writer.append(blockOf({ predictionId: "b" }));
    await writer.close();
    const parts = new RecordingSink("parts", "block");
    const second = await world.open([world.whole, parts]);
    await second.turn();
    expect([parts.openedWith, parts.ids]).toEqual([{ batches: 1 }, ["b"]]);
    await second.stop();
  });

  it("a sink that is away for ten minutes holds up no other and costs nothing but lag", async () => {
    await using world = new ShipperWorld();
    await world.write(["a"], ["b"]);
    world.whole.before = () => {
      throw new Error("Cannot connect");
    };
    const shipper = await world.open();
    let tries = 0;
    for (let waitedMs = 0; waitedMs < 600_000; tries++) {
      const lane = shipper.lanes.find(({ sink }) => sink === world.whole);
      const waitMs = (await lane?.turn(new AbortController().signal)) ?? 0;
      expect(waitMs).toBeLessThanOrEqual(30_000);
      world.clock.advanceMs(waitMs);
      waitedMs += waitMs;
      await shipper.turn(); // the other one's, and one more try of this
    }
    expect(tries).toBeLessThan(60);
    expect(world.parts.ids.toSorted()).toEqual(["a", "b"]);
    expect(lagOf(shipper, "whole")).toMatchObject({ segments: 2 });
    expect(lagOf(shipper, "whole")?.ageMs).toBeGreaterThan(500_000);
    expect(lagOf(shipper, "parts")).toMatchObject({ segments: 0, ageMs: 0 });
    // Once a minute, however often it fails.
    const said = world.lines.filter(({ message }) => message.includes("Cannot connect"));
    expect(said.length).toBeGreaterThan(5);
    expect(said.length).toBeLessThanOrEqual(11);
    world.whole.before = () => undefined;
    await shipper.turn();
    expect(world.whole.ids.toSorted()).toEqual(["a", "b"]);
    expect(lagOf(shipper, "whole")?.segments).toBe(0);
    expect(world.lines.at(-1)).toEqual({
      level: "info",
      message: 'The sink "whole" works again',
    });
    await shipper.stop();
  });

  it("start() lets a sink that hangs wait for itself alone", async () => {
    await using world = new ShipperWorld();
    await world.write(["a"]);
    const hangs = Promise.withResolvers<void>();
    world.whole.before = (_batch, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
        hangs.resolve();
      });
    const took = Promise.withResolvers<void>();
    world.parts.before = () => took.resolve();
    const shipper = await world.open();
    shipper.start();
    await Promise.all([hangs.promise, took.promise]);
    await shipper.stop();
    expect(world.parts.ids).toEqual(["a"]);
    expect(await world.segments.list()).toHaveLength(1);
  });

  it("a part that was not taken before the end is given again as it was, though its segment grew", async () => {
    await using world = new ShipperWorld();
    const writer = world.writer();
    await writer.append(blockOf({ predictionId: "a" }));
    let failed: unknown;
    world.parts.before = (batch) => {
      failed = batch;
      throw new Error("The process ends here");
    };
    const first = await world.open();
    await first.turn();
    await first.stop();
    await writer.append(blockOf({ predictionId: "b" }));
    const again = new RecordingSink("parts", "block");
    const second = await world.open([world.whole, again]);
    await second.turn();
    expect(again.taken[0]).toEqual(failed);
    expect(again.ids).toEqual(["a", "b"]);
    await second.stop();
  });

  it("a batch that is itself at fault is set aside, and what follows goes on", async () => {
    await using world = new ShipperWorld();
    await world.write(["bad"], ["good"]);
    world.whole.before = ({ ids }) => {
      if (ids.includes("bad")) throw new UnusableBatchError("Cannot make rows of it", undefined);
    };
    const shipper = await world.open();
    for (let turn = 0; turn < 8; turn++) await shipper.turn();
    expect(world.whole.ids).toEqual(["good"]);
    const name = "p0-01992f3c7a5e0000-predictions-00000001.segment";
    expect(readdirSync(join(world.folder, "quarantine"))).toEqual([name]);
    expect(shipper.lanes[0]?.facts).toMatchObject({ setAside: 1, errors: 7 });
    expect(await world.segments.list()).toEqual([]);
    await shipper.stop();
  });

  it("open() sets a damaged cursor aside and begins with the oldest segment", async () => {
    await using world = new ShipperWorld();
    await world.write(["a"]);
    const cursors = join(world.folder, "cursors");
    const first = await world.open();
    await first.stop();
    for (const text of [
      "",
      "{",
      '{"segments":7}',
      '{"segments":{"a/predictions":{"number":"x"}}}',
    ]) {
      writeFileSync(join(cursors, "whole.json"), text);
      const shipper = await world.open();
      await shipper.lanes[0]?.turn(new AbortController().signal);
      await shipper.stop();
    }
    expect(world.whole.ids).toEqual(["a", "a", "a", "a"]);
    expect(existsSync(join(cursors, "whole.json.damaged"))).toBe(true);
    expect(world.lines.filter(({ message }) => message.includes("damaged"))).toHaveLength(4);
  });

  it("open() forgets where it was in what no longer exists", async () => {
    await using world = new ShipperWorld();
    await world.write(["a"]);
    const first = await world.open();
    await first.turn();
    await first.stop();
    expect(world.cursor("whole")).toMatchObject({
      segments: { "p0-01992f3c7a5e0000/predictions": { number: 2, offset: 0 } },
    });
    await (await world.open()).stop();
    expect(world.cursor("whole")).toMatchObject({ segments: {} });
  });

  it("turn() goes on when somebody has deleted the folder of the cursors", async () => {
    await using world = new ShipperWorld();
    const shipper = await world.open();
    await world.write(["a"]);
    rmSync(join(world.folder, "cursors"), { recursive: true });
    await shipper.turn();
    expect([world.whole.ids, world.parts.ids]).toEqual([["a"], ["a"]]);
    expect(await world.segments.list()).toEqual([]);
    await shipper.stop();
  });

  it("between() that is asked for too often refuses, and ships on", async () => {
    await using world = new ShipperWorld();
    const shipper = await world.open();
    const first = Promise.withResolvers<void>();
    void shipper.between("whole", () => first.promise);
    await world.write(["a"]);
    const asked = Array.from({ length: 200 }, () =>
      shipper.between("whole", () => Promise.resolve()),
    );
    const answers = Promise.allSettled(asked);
    const turn = shipper.turn();
    first.resolve();
    await turn;
    expect(world.whole.ids).toEqual(["a"]);
    const refused = (await answers).filter(({ status }) => status === "rejected");
    expect(refused.length).toBeGreaterThan(90);
    await shipper.stop();
  });

  it("counts each process once that was killed with rows in memory", async () => {
    await using world = new ShipperWorld();
    const { folder } = world;
    await world.write(["a"]);
    // As a killed process leaves it: without its end, and nobody holds the lock.
    const path = join(folder, "wal/p0-01992f3c7a5e0000/predictions-00000001.segment");
    const bytes = readFileSync(path);
    const [segment] = await world.segments.list();
    const block = await firstBlockEnd(world);
    writeFileSync(path, bytes.subarray(0, block));
    expect(segment?.isUnclean).toBe(false);
    world.whole.before = () => {
      throw new Error("away");
    };
    const shipper = await world.open();
    await shipper.turn();
    await shipper.turn();
    expect(shipper.watch.uncleanWriters).toBe(1);
    expect(world.lines.filter(({ level }) => level === "warn")).toHaveLength(1);
    expect(world.parts.ids).toEqual(["a"]);
    await shipper.stop();
  });

  it("counts damage once, however many sinks and tries read it", async () => {
    await using world = new ShipperWorld();
    await world.write(["a", "b", "c"]);
    const path = join(world.folder, "wal/p0-01992f3c7a5e0000/predictions-00000001.segment");
    const bytes = readFileSync(path);
    const at = (await firstBlockEnd(world)) + 40;
    bytes[at] = (bytes[at] as number) ^ 0xff;
    writeFileSync(path, bytes);
    const shipper = await world.open();
    await shipper.turn();
    expect(world.whole.ids).toEqual(["a", "c"]);
    expect(world.parts.ids).toEqual(["a", "c"]);
    expect(shipper.watch.damagedBlocks).toBe(1);
    await shipper.stop();
  });
});

function lagOf(shipper: Shipper, sink: string): SinkLag | undefined {
  const lane = shipper.lanes.find((one) => one.sink.name === sink);
  return lane && shipper.watch.lagOf(lane);
}

async function firstBlockEnd(world: LogWorld): Promise<number> {
  const id = { writer: "p0-01992f3c7a5e0000", table: "predictions", number: 1 } as const;
  for await (const { endOffset } of world.segments.read(id, 0, () => undefined)) return endOffset;
  throw new Error(`${WRITER} has no block`);
}
