import { expect, test } from "vitest";
import type { LoadPlan } from "../load-plan.ts";
import { parseBody } from "./body-template.ts";
import type { BatchSize, LoadTarget, RowTable } from "./load-target.ts";
import { PayloadSource } from "./payload-source.ts";
import { testRows } from "./test-rows.ts";

const ONE: readonly BatchSize[] = [{ min: 1, max: 1, weight: 1 }];

const IRIS = testRows(
  ["length", "species"],
  [
    [5.1, "setosa"],
    [7, 'ver"sicolor'],
    [6.3, "virginica, ü"],
  ],
);

test("PayloadSource fills rows, columns, counts and numbers in", () => {
  const source = sourceOf(
    '{"a":{{row}},"b":[{{ row.species }},{{row.length}}],"n":{{count}},"s":{{seq}}}',
  );
  const bodies = [0, 1, 2, 3].map((seq) => JSON.parse(bodyText(source, seq)) as unknown);
  expect(bodies).toEqual([
    { a: [5.1, "setosa"], b: ["setosa", 5.1], n: 1, s: 0 },
    { a: [7, 'ver"sicolor'], b: ['ver"sicolor', 7], n: 1, s: 1 },
    { a: [6.3, "virginica, ü"], b: ["virginica, ü", 6.3], n: 1, s: 2 },
    { a: [5.1, "setosa"], b: ["setosa", 5.1], n: 1, s: 3 },
  ]);
});

test("PayloadSource takes batches in turn where they have one size, over the end of the table", () => {
  const source = sourceOf("{{rows}} {{count}}", { sizes: [{ min: 2, max: 2, weight: 1 }] });
  expect([0, 1, 2].map((seq) => bodyText(source, seq))).toEqual([
    '[[5.1,"setosa"],[7,"ver\\"sicolor"]] 2',
    '[[6.3,"virginica, ü"],[5.1,"setosa"]] 2',
    '[[7,"ver\\"sicolor"],[6.3,"virginica, ü"]] 2',
  ]);
});

test("PayloadSource draws sizes as often as their weights say, evenly in a range", () => {
  const sizes = [
    { min: 1, max: 1, weight: 70 },
    { min: 8, max: 11, weight: 30 },
  ];
  const source = sourceOf("{{count}} {{rows}}", { sizes });
  const counts = new Map<number, number>();
  for (let seq = 0; seq < 20_000; seq++) {
    const text = bodyText(source, seq);
    const count = Number.parseInt(text, 10);
    expect((JSON.parse(text.slice(text.indexOf(" "))) as unknown[]).length).toBe(count);
    counts.set(count, (counts.get(count) ?? 0) + 1);
  }
  expect([...counts.keys()].toSorted((a, b) => a - b)).toEqual([1, 8, 9, 10, 11]);
  expect((counts.get(1) as number) / 20_000).toBeCloseTo(0.7, 1);
  for (const count of [8, 9, 10, 11]) {
    expect((counts.get(count) as number) / 20_000).toBeCloseTo(0.075, 1);
  }
});

test("PayloadSource draws every row equally often in random order, also first rows of drawn sizes", () => {
  const rows = testRows(
    ["id"],
    Array.from({ length: 10 }, (_, id) => [id]),
  );
  const random = sourceOf("{{row.id}}", { rows: { ...rows, order: "random" } });
  const drawnSizes = sourceOf("{{row.id}}{{rows}}", {
    rows,
    sizes: [{ min: 1, max: 3, weight: 1 }],
  });
  for (const source of [random, drawnSizes]) {
    const counts = new Array<number>(10).fill(0);
    for (let seq = 0; seq < 10_000; seq++) counts[Number(bodyText(source, seq)[0])]!++;
    expect(Math.min(...counts)).toBeGreaterThan(840);
    expect(Math.max(...counts)).toBeLessThan(1160);
  }
});

test("PayloadSource makes each start a UUID of version 4 of its own", () => {
  const source = sourceOf("{{uuid}}", { rows: undefined });
  const seen = new Set<string>();
  for (let seq = 0; seq < 10_000; seq++) seen.add(bodyText(source, seq));
  expect(seen.size).toBe(10_000);
  for (const uuid of seen) {
    expect(uuid).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  }
});

test("PayloadSource gives a start the same body and target in any order, and another seed others", () => {
  const template = "{{rows}} {{uuid}} {{row}}";
  const options = { sizes: [{ min: 1, max: 5, weight: 1 }], targets: 3 };
  const one = sourceOf(template, options);
  const two = sourceOf(template, options);
  const forward = Array.from({ length: 50 }, (_, seq) => [one.targetOf(seq), bodyText(one, seq)]);
  const backward = Array.from({ length: 50 }, (_, index) => {
    const seq = 49 - index;
    return [two.targetOf(seq), bodyText(two, seq)];
  });
  expect(backward.toReversed()).toEqual(forward);
  expect(bodyText(sourceOf(template, { ...options, seed: 2 }), 0)).not.toBe(forward[0]?.[1]);
});

test("PayloadSource takes targets in turn, or as often as their weights say", () => {
  const inTurn = sourceOf("x", { targets: 3 });
  expect([0, 1, 2, 3, 4].map((seq) => inTurn.targetOf(seq))).toEqual([0, 1, 2, 0, 1]);
  const weighted = sourceOf("x", { weights: [1, 0.5, 8.5] });
  const counts = [0, 0, 0];
  for (let seq = 0; seq < 20_000; seq++) counts[weighted.targetOf(seq)]!++;
  expect(counts[0]).toBeGreaterThan(1750);
  expect(counts[0]).toBeLessThan(2250);
  expect(counts[1]).toBeGreaterThan(820);
  expect(counts[1]).toBeLessThan(1180);
});

test("PayloadSource.isFixed() is for bodies that are the same bytes every time", () => {
  const fixed = sourceOf("abc");
  expect(fixed.isFixed(0)).toBe(true);
  expect(fixed.bodyOf(start(0))).toBe(fixed.bodyOf(start(1)));
  expect(bodyText(fixed, 0)).toBe("abc");
  const empty = sourceOf("");
  expect([empty.isFixed(0), bodyText(empty, 0)]).toEqual([true, ""]);
  expect(sourceOf("{{seq}}").isFixed(0)).toBe(false);
});

test("PayloadSource refuses bodies that could become larger than 256 MiB", () => {
  const rows = testRows(["text"], [["x".repeat(10_000)]]);
  const sizes = [{ min: 1, max: 100_000, weight: 1 }];
  expect(() => sourceOf("{{rows}}", { rows, sizes })).toThrow(
    "Cannot send bodies of up to 955 MiB: at most 256 MiB are allowed; take fewer rows a batch",
  );
});

interface SourceOptions {
  readonly rows?: RowTable | undefined;
  readonly sizes?: readonly BatchSize[];
  readonly targets?: number;
  readonly weights?: readonly number[];
  readonly seed?: number;
}

function sourceOf(template: string, options: SourceOptions = {}): PayloadSource {
  const { sizes = ONE, targets = 1, seed = 1 } = options;
  const rows = "rows" in options ? options.rows : IRIS;
  const weights = options.weights ?? new Array<number>(targets).fill(1);
  const body = parseBody(Buffer.from(template), { rows, sizes }, "body");
  const plan: Pick<LoadPlan, "targets" | "choice" | "rows" | "seed"> = {
    targets: weights.map((weight): LoadTarget => ({
      method: "POST",
      url: "http://a/",
      headers: [],
      body,
      weight,
    })),
    choice: options.weights === undefined ? "in-turn" : "by-weight",
    rows,
    seed,
  };
  return new PayloadSource(structuredClone(plan));
}

function start(seq: number): { seq: number; target: number; intendedMs: number } {
  return { seq, target: 0, intendedMs: 0 };
}

function bodyText(source: PayloadSource, seq: number): string {
  return Buffer.from(source.bodyOf(start(seq))).toString();
}
