import { expect, it } from "vitest";
import { TestClock } from "../../core/test-clock.ts";
import { Looks, type LookedAt } from "./looks.ts";

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

function setup() {
  const clock = new TestClock();
  const errors: unknown[] = [];
  const looks = new Looks(clock, (error) => errors.push(error));
  const seen: string[] = [];
  const of = (name: string, look = () => Promise.resolve()): LookedAt => ({
    everyMs: 10_000,
    look: () => {
      seen.push(name);
      return look();
    },
  });
  return { clock, errors, looks, seen, of };
}

const never = () => new Promise<never>(() => undefined);

it("Looks looks at each in its rhythm", async () => {
  const { clock, looks, seen, of } = setup();
  const all = new Set([of("a")]);
  for (let second = 0; second < 25; second++) {
    looks.begin(all);
    await settle();
    clock.advanceMs(1_000);
  }
  expect(seen).toEqual(["a", "a", "a"]);
});

it("Looks looks at two at once, each once at a time, and at all in the end", async () => {
  const { clock, looks, seen, of, errors } = setup();
  const all = new Set([of("a", never), of("b", never), of("c"), of("d")]);
  looks.begin(all);
  looks.begin(all);
  await settle();
  expect(seen).toEqual(["a", "b"]);
  clock.advanceMs(120_000);
  await settle();
  expect(errors).toMatchObject([{ code: "DEADLINE_EXCEEDED" }, { code: "DEADLINE_EXCEEDED" }]);
  looks.begin(all);
  await settle();
  expect(seen.slice(2)).toEqual(["c", "d"]); // those that have waited longest
});

it("Looks goes on after one that threw, and tells", async () => {
  const { looks, seen, of, errors } = setup();
  looks.begin(new Set([of("a", () => Promise.reject(new Error("no"))), of("b")]));
  await settle();
  expect([seen, errors.length]).toEqual([["a", "b"], 1]);
});

it("Looks forgets what is gone, and close() ends what runs", async () => {
  const { clock, looks, of } = setup();
  let signal: AbortSignal | undefined;
  const one: LookedAt = { everyMs: 1, look: (given) => ((signal = given), never()) };
  looks.begin(new Set([one, of("b")]));
  looks.begin(new Set());
  looks.close();
  await settle();
  expect(signal?.aborted).toBe(true);
  expect(clock.timerCount).toBe(0);
});

it("Looks spends at most a quarter of the time on one whose looks take long", async () => {
  const { clock, looks, seen, of } = setup();
  let end: () => void = () => undefined;
  const all = new Set([of("slow", () => new Promise<void>((resolve) => (end = resolve)))]);
  looks.begin(all);
  clock.advanceMs(20_000);
  end();
  await settle();
  clock.advanceMs(59_000);
  looks.begin(all);
  expect(seen).toEqual(["slow"]);
  clock.advanceMs(1_000);
  looks.begin(all);
  expect(seen).toEqual(["slow", "slow"]);
});
