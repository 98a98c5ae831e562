import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { TestClock } from "../core/test-clock.ts";
import { RetentionClock } from "./retention-clock.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A clock whose wall may be set apart from its monotonic side. */
class JumpingClock extends TestClock {
  jumpedMs = 0;
  override wallMs(): number {
    return super.wallMs() + this.jumpedMs;
  }
}

class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "millrace-retention-"));
  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

it("nowMs() is the time while the clock goes as it should", async () => {
  using folder = new Folder();
  const clock = new JumpingClock();
  const retention = await RetentionClock.open(folder.path, clock, clock.wallMs() - 60_000);
  for (let hour = 0; hour < 100; hour++) {
    expect(await retention.nowMs()).toBe(clock.wallMs());
    clock.advanceMs(HOUR_MS);
  }
});

it("nowMs() follows a clock that jumps ahead by a day in an hour", async () => {
  using folder = new Folder();
  const clock = new JumpingClock();
  const retention = await RetentionClock.open(folder.path, clock, undefined);
  const beforeMs = await retention.nowMs();
  clock.jumpedMs = 3650 * DAY_MS;
  expect(await retention.nowMs()).toBe(beforeMs);
  for (let hour = 1; hour <= 5; hour++) {
    clock.advanceMs(HOUR_MS);
    expect(await retention.nowMs()).toBe(beforeMs + hour * DAY_MS);
  }
  clock.jumpedMs = 0; // somebody noticed
  expect(await retention.nowMs()).toBe(clock.wallMs());
});

it("nowMs() is behind a clock that is set back, and goes on with it", async () => {
  using folder = new Folder();
  const clock = new JumpingClock();
  const retention = await RetentionClock.open(folder.path, clock, undefined);
  await retention.nowMs();
  clock.jumpedMs = -10 * DAY_MS;
  expect(await retention.nowMs()).toBe(clock.wallMs());
  clock.jumpedMs = 0;
  clock.advanceMs(HOUR_MS);
  expect(await retention.nowMs()).toBe(clock.wallMs());
});

it("open() trusts neither a start with a wrong clock nor a long rest", async () => {
  using folder = new Folder();
  const clock = new JumpingClock();
  const first = await RetentionClock.open(folder.path, clock, undefined);
  const beforeMs = await first.nowMs();
  clock.jumpedMs = 3650 * DAY_MS;
  const second = await RetentionClock.open(folder.path, clock, clock.wallMs());
  expect(await second.nowMs()).toBe(beforeMs);
  clock.jumpedMs = 21 * DAY_MS;
  clock.advanceMs(22 * HOUR_MS);
  expect(await second.nowMs()).toBe(clock.wallMs());
});

it("open() begins a day after the newest row where it was never kept, or is damaged", async () => {
  using folder = new Folder();
  const clock = new JumpingClock();
  const newestMs = clock.wallMs() - 100 * DAY_MS;
  for (const text of [undefined, "{", '{"nowMs":"x"}', "null"]) {
    const path = join(folder.path, "retention.json");
    if (text !== undefined) writeFileSync(path, text);
    const retention = await RetentionClock.open(folder.path, clock, newestMs);
    expect(await retention.nowMs()).toBe(newestMs + DAY_MS);
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ nowMs: newestMs + DAY_MS });
  }
});
