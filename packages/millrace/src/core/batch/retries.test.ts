import { expect, test } from "vitest";
import { Retries } from "./retries.ts";
import { testItem, testSlice } from "./test-batch.ts";

const slicesOf = (count: number): ReturnType<typeof testSlice>[] =>
  Array.from({ length: count }, () => testSlice(testItem()));

test("next() gives what was added first, and undefined when nothing is left", () => {
  const retries = new Retries<string>();
  const [a, b] = [slicesOf(1), slicesOf(2)];
  retries.add(a);
  retries.add(b);
  expect([retries.next(), retries.next(), retries.next()]).toEqual([a, b, undefined]);
  expect(retries.isEmpty).toBe(true);
});

test("addHalves() cuts in two parts that differ by one at most, in order", () => {
  const retries = new Retries<string>();
  const slices = slicesOf(5);
  retries.addHalves(slices);
  expect(retries.next()).toEqual(slices.slice(0, 3));
  expect(retries.next()).toEqual(slices.slice(3));
});

test("addHalves() of one is one part", () => {
  const retries = new Retries<string>();
  const slices = slicesOf(1);
  retries.addHalves(slices);
  expect([retries.next(), retries.next()]).toEqual([slices, undefined]);
});

test("add() and next() leave out who is gone, and parts of which nobody is left", () => {
  const retries = new Retries<string>();
  const [one, two, three, four] = slicesOf(4) as [
    ReturnType<typeof testSlice>,
    ReturnType<typeof testSlice>,
    ReturnType<typeof testSlice>,
    ReturnType<typeof testSlice>,
  ];
  one.item.isGone = true;
  retries.add([one]);
  expect(retries.isEmpty).toBe(true);
  retries.add([two]);
  retries.add([three, four]);
  two.item.isGone = true;
  three.item.isGone = true;
  expect([...retries.items()]).toEqual([four.item]);
  expect(retries.next()).toEqual([four]);
});
