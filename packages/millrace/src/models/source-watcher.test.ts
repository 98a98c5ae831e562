import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestClock } from "../core/test-clock.ts";
import { watchSource } from "./source-watcher.ts";

let folder: string;
let stop: () => void = () => undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-watch-"));
});
afterEach(async () => {
  stop();
  await rm(folder, { recursive: true });
});

/** A clock by hand that also tells when the debounce has been set, so that a test can wait for a file event. */
class WatchClock extends TestClock {
  #onQuiet: (() => void) | undefined;

  override schedule(delayMs: number, run: () => void): () => void {
    if (delayMs < 1_000) this.#onQuiet?.();
    return super.schedule(delayMs, run);
  }

  /** Repeats `act` until an event of the file system arrives: the watch is opened in the background. */
  async untilEvent(act: () => Promise<void>): Promise<void> {
    const event = new Promise<"event">((resolve) => (this.#onQuiet = () => resolve("event")));
    for (let i = 0; i < 200; i++) {
      await act();
      const turn = new Promise<"turn">((resolve) => setTimeout(resolve, 20, "turn"));
      if ((await Promise.race([event, turn])) === "event") return;
    }
    throw new Error("no event arrived");
  }
}

test("watchSource() reports one change 50 ms after the last event when a file is written", async () => {
  const path = join(folder, "iris.onnx");
  await writeFile(path, "1");
  const clock = new WatchClock();
  let changes = 0;
  stop = watchSource(path, { kind: "watch" }, clock, () => changes++);
  await clock.untilEvent(() => writeFile(path, "2"));
  expect(changes).toBe(0);
  clock.advanceMs(49);
  expect(changes).toBe(0);
  clock.advanceMs(1);
  expect(changes).toBe(1);
});

test("watchSource() reports a change when another file is moved over the file", async () => {
  const path = join(folder, "iris.onnx");
  await writeFile(path, "1");
  const clock = new WatchClock();
  let changes = 0;
  stop = watchSource(path, { kind: "watch" }, clock, () => changes++);
  await clock.untilEvent(async () => {
    await writeFile(join(folder, "new"), "2");
    await rename(join(folder, "new"), path);
  });
  clock.advanceMs(50);
  expect(changes).toBe(1);
});

test("watchSource() reports a change when a version is added to a folder", async () => {
  const clock = new WatchClock();
  let changes = 0;
  stop = watchSource(folder, { kind: "watch" }, clock, () => changes++);
  let version = 0;
  await clock.untilEvent(async () => {
    await mkdir(join(folder, String(++version)));
    await writeFile(join(folder, String(version), "model.onnx"), "1");
  });
  clock.advanceMs(50);
  expect(changes).toBe(1);
});

test("watchSource() looks every 5 s when no event arrives", () => {
  const clock = new TestClock();
  let changes = 0;
  stop = watchSource(join(folder, "none", "iris.onnx"), { kind: "watch" }, clock, () => changes++);
  clock.advanceMs(4_999);
  expect(changes).toBe(0);
  clock.advanceMs(5_001);
  expect(changes).toBe(2);
});

test("watchSource() begins to watch when the folder appears after the start", async () => {
  const path = join(folder, "later", "iris.onnx");
  const clock = new WatchClock();
  stop = watchSource(path, { kind: "watch" }, clock, () => undefined);
  await mkdir(join(folder, "later"));
  clock.advanceMs(5_000);
  await expect(clock.untilEvent(() => writeFile(path, "1"))).resolves.toBeUndefined();
});

test("watchSource() looks as often as the policy says when it polls", () => {
  const clock = new TestClock();
  let changes = 0;
  stop = watchSource(folder, { kind: "poll", everyMs: 100 }, clock, () => changes++);
  clock.advanceMs(350);
  expect(changes).toBe(3);
});

test("watchSource() sets no timer when the policy is off", () => {
  const clock = new TestClock();
  watchSource(folder, { kind: "off" }, clock, () => undefined);
  expect(clock.timerCount).toBe(0);
});

test("watchSource() does nothing more when it is stopped, also from within onChange", () => {
  const clock = new TestClock();
  let changes = 0;
  stop = watchSource(folder, { kind: "poll", everyMs: 100 }, clock, () => {
    changes++;
    stop();
  });
  clock.advanceMs(1_000);
  expect(changes).toBe(1);
  expect(clock.timerCount).toBe(0);
});
