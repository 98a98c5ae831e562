import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { SeenUnits } from "./seen-units.ts";

function openUnits(countMax: number) {
  const hashed: string[] = [];
  const hash = (text: string): string => {
    hashed.push(text);
    return `hash of ${text.slice(0, 9)} ${text.length}`;
  };
  return { units: new SeenUnits(hash, countMax), hashed };
}

it("of() hashes a unit once and remembers what was told of it", () => {
  const { units, hashed } = openUnits(100);
  units.of("ann").exposedPhase = 3;
  expect(units.of("ann")).toEqual({ hash: "hash of ann 3", exposedPhase: 3 });
  expect(units.of("bob").exposedPhase).toBe(0);
  expect(hashed).toEqual(["ann", "bob"]);
});

it("of() forgets those that were not seen for long, and keeps those that were", () => {
  const { units, hashed } = openUnits(10);
  for (let i = 0; i < 100; i++) {
    units.of("always");
    units.of(`once ${i}`);
  }
  const count = (name: string): number => hashed.filter((text) => text === name).length;
  expect(count("always")).toBe(1);
  units.of("once 99");
  units.of("once 0");
  expect([count("once 99"), count("once 0")]).toEqual([1, 2]);
});

it("of() keeps no long name, and tells two of them apart", () => {
  const { units } = openUnits(10);
  const long = "x".repeat(10_000);
  units.of(long).exposedPhase = 1;
  expect(units.of(long)).toEqual({ hash: "hash of xxxxxxxxx 10000", exposedPhase: 1 });
  expect(units.of(`${long}y`).exposedPhase).toBe(0);
});

it("of() keeps no request in memory for the sake of the unit that was cut out of it", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const units = new SeenUnits((text) => `hash of ${text.length}`, 10_000);
  const heapBytes = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = heapBytes();
  for (let i = 0; i < 1_000; i++) {
    const head = Buffer.from(`${"x".repeat(16_000)}user-${i}-of-the-shop`).toString("latin1");
    units.of(head.slice(16_000));
  }
  expect((heapBytes() - before) / 1_000).toBeLessThan(2_000); // bytes a unit
});
