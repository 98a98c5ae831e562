import { expect, it } from "vitest";
import { OneAtATime } from "./one-at-a-time.ts";

it("run() begins each piece when the one before has ended, whatever its end", async () => {
  const turns = new OneAtATime(10);
  const said: string[] = [];
  const piece = (name: string, fails = false) =>
    turns.run(async () => {
      said.push(`${name} begins`);
      await Promise.resolve();
      said.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const results = await Promise.allSettled([piece("a"), piece("b", true), piece("c")]);
  expect(said).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});

it("run() refuses one more than may wait, and takes the next when one has begun", async () => {
  const turns = new OneAtATime(2);
  let release = (): void => undefined;
  const held = turns.run(() => new Promise<void>((resolve) => (release = resolve)));
  await Promise.resolve();
  const waiting = [turns.run(() => Promise.resolve(1)), turns.run(() => Promise.resolve(2))];
  await expect(turns.run(() => Promise.resolve(3))).rejects.toMatchObject({ code: "OVERLOADED" });
  release();
  await held;
  expect(await Promise.all(waiting)).toEqual([1, 2]);
  expect(await turns.run(() => Promise.resolve(4))).toBe(4);
});
