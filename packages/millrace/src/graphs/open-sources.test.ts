import { expect, test } from "vitest";
import { OpenSources } from "./open-sources.ts";

class Thing {
  closeCount = 0;

  close(): Promise<void> {
    this.closeCount++;
    return Promise.resolve();
  }
}

test("acquire() opens the same thing once, and the last release closes it", async () => {
  const sources = new OpenSources();
  const thing = new Thing();
  let opened = 0;
  const open = (): Promise<Thing> => {
    opened++;
    return Promise.resolve(thing);
  };
  const [first, second] = await Promise.all([
    sources.acquire("a", open),
    sources.acquire("a", open),
  ]);
  expect([opened, first.value, second.value]).toEqual([1, thing, thing]);
  first.release();
  first.release();
  await Promise.resolve();
  expect(thing.closeCount).toBe(0);
  second.release();
  await new Promise(setImmediate);
  expect(thing.closeCount).toBe(1);
  await sources.acquire("a", open);
  expect(opened).toBe(2);
});

test("acquire() opens what differs apart", async () => {
  const sources = new OpenSources();
  const [a, b] = await Promise.all(
    ["a", "b"].map((key) => sources.acquire(key, () => Promise.resolve(new Thing()))),
  );
  expect(a?.value).not.toBe(b?.value);
});

test("acquire() throws what opening throws to all who asked, and the next call tries again", async () => {
  const sources = new OpenSources();
  const fail = (): Promise<Thing> => Promise.reject(new Error("not there"));
  const both = await Promise.allSettled([sources.acquire("a", fail), sources.acquire("a", fail)]);
  expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  const { value } = await sources.acquire("a", () => Promise.resolve(new Thing()));
  expect(value.closeCount).toBe(0);
});
