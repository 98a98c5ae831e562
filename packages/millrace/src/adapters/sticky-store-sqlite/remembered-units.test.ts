import { expect, it } from "vitest";
import { RememberedUnits } from "./remembered-units.ts";

const CONTROL = { arm: "control", phase: 1, propensity: 0.5 };
const TREATMENT = { arm: "treatment", phase: 2, propensity: 0.5 };

function unitHash(number: number): string {
  return number.toString(16).padStart(32, "0");
}

it("find() tells the experiments of a unit apart", () => {
  const units = new RememberedUnits();
  units.set("iris/rf", unitHash(1), CONTROL);
  units.set("wine/rf", unitHash(1), TREATMENT);
  expect(units.find("iris/rf", unitHash(1))).toEqual(CONTROL);
  expect(units.find("wine/rf", unitHash(1))).toEqual(TREATMENT);
  units.set("iris/rf", unitHash(1), TREATMENT);
  expect(units.find("iris/rf", unitHash(1))).toEqual(TREATMENT);
  expect(units.find("beer/rf", unitHash(1))).toBeUndefined();
});

it("set() shares one object between all units that have the same arm", () => {
  const units = new RememberedUnits();
  const first = units.set("iris/rf", unitHash(1), { ...CONTROL });
  expect(units.set("iris/rf", unitHash(2), { ...CONTROL })).toBe(first);
});

it("set() ends that a unit is missing, in this experiment", () => {
  const units = new RememberedUnits();
  units.miss("iris/rf", unitHash(1));
  units.miss("wine/rf", unitHash(1));
  units.set("iris/rf", unitHash(1), CONTROL);
  expect(units.isMissing("iris/rf", unitHash(1))).toBe(false);
  expect(units.isMissing("wine/rf", unitHash(1))).toBe(true);
});

it("remembers the units that were asked for last", () => {
  const units = new RememberedUnits();
  for (let i = 0; i <= 100_000; i++) {
    units.set("iris/rf", unitHash(i), CONTROL);
    units.find("iris/rf", unitHash(0));
  }
  expect(units.find("iris/rf", unitHash(0))).toEqual(CONTROL);
  expect(units.find("iris/rf", unitHash(1))).toBeUndefined();
});

it("remembers 50,000 missing ones, then begins anew", () => {
  const units = new RememberedUnits();
  for (let i = 0; i < 50_000; i++) units.miss(i % 2 === 0 ? "iris/rf" : "wine/rf", unitHash(i));
  expect(units.isMissing("iris/rf", unitHash(0))).toBe(true);
  units.miss("iris/rf", unitHash(50_000));
  expect(units.isMissing("iris/rf", unitHash(0))).toBe(false);
  expect(units.isMissing("iris/rf", unitHash(50_000))).toBe(true);
});

it("age() forgets missing ones after ten seconds", () => {
  const units = new RememberedUnits();
  units.age(1_000);
  units.miss("iris/rf", unitHash(1));
  units.age(10_999);
  expect(units.isMissing("iris/rf", unitHash(1))).toBe(true);
  units.age(11_000);
  expect(units.isMissing("iris/rf", unitHash(1))).toBe(false);
});
