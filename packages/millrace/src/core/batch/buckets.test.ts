import { describe, expect, test } from "vitest";
import { Buckets } from "./buckets.ts";
import { testItem } from "./test-batch.ts";

const OPTIONS = { rowsMax: 8, runMsMax: Infinity };
const BUCKETS_MAX = 64;

/** As many buckets as there may be, "0" the one used longest ago. */
function fullBuckets(): Buckets<string> {
  const buckets = new Buckets<string>(OPTIONS);
  for (let i = 0; i < BUCKETS_MAX; i++) buckets.use(String(i));
  return buckets;
}

describe("Buckets", () => {
  test("use() makes a bucket once, and find() gives it", () => {
    const buckets = new Buckets<string>(OPTIONS);
    expect(buckets.find("a")).toBeUndefined();
    const a = buckets.use("a");
    const b = buckets.use("b");
    expect([buckets.use("a"), buckets.find("a"), buckets.find("b")]).toEqual([a, a, b]);
    expect([...buckets].map(({ key }) => key)).toEqual(["b", "a"]);
  });

  test("use() forgets the one used longest ago when there are 64", () => {
    const buckets = fullBuckets();
    buckets.use("0");
    buckets.use("new");
    expect([...buckets]).toHaveLength(BUCKETS_MAX);
    expect([buckets.find("0")?.key, buckets.find("1")]).toEqual(["0", undefined]);
  });

  test("use() forgets none in which a request waits", () => {
    const buckets = fullBuckets();
    for (const key of ["0", "1"]) buckets.use(key).add(testItem({ bucket: key }));
    for (let i = 0; i < BUCKETS_MAX - 2; i++) buckets.use(`new ${i}`);
    expect([buckets.find("0")?.rows, buckets.find("1")?.rows]).toEqual([1, 1]);
    expect(buckets.find("2")).toBeUndefined();
  });

  test("use() makes one more when a request waits in each", () => {
    const buckets = fullBuckets();
    for (const bucket of buckets) bucket.add(testItem());
    buckets.use("new");
    expect([...buckets]).toHaveLength(BUCKETS_MAX + 1);
  });

  test("use() gives a new one what an older one has learnt", () => {
    const buckets = new Buckets<string>(OPTIONS);
    const { model } = buckets.use("a");
    for (let i = 0; i < 40; i++) model.observe(1 + (i % 8), 5 + (i % 8));
    expect(buckets.use("b").model.expectMs(3)).toBeCloseTo(7, 1);
  });
});
