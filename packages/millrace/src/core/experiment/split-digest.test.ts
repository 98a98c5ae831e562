import { expect, it } from "vitest";
import type { ExperimentSplit } from "./unit-assigner.ts";
import { splitDigest } from "./split-digest.ts";

const SPLIT: ExperimentSplit = {
  arms: [
    { name: "control", weight: 0.6 },
    { name: "treatment", weight: 0.4 },
  ],
  control: "control",
  coverage: 0.1,
  salt: "rf",
  namespace: { name: "checkout", from: 0, to: 0.5 },
  isActive: true,
  winner: undefined,
  minPhase: 1,
};

it.each<[string, Partial<ExperimentSplit>]>([
  ["the coverage", { coverage: 1 }],
  ["a switch", { isActive: false }],
  ["a winner", { winner: "treatment" }],
  ["the first phase that takes part", { minPhase: 2 }],
  ["which arm is compared with", { control: "treatment" }],
  [
    "the way its weights were computed",
    {
      arms: [
        { name: "control", weight: 60 / 100 },
        { name: "treatment", weight: 1 - 0.6 },
      ],
    },
  ],
])("splitDigest() stays the same whatever %s is", (_what, change) => {
  expect(splitDigest({ ...SPLIT, ...change })).toBe(splitDigest(SPLIT));
});

it.each<[string, Partial<ExperimentSplit>]>([
  [
    "weights",
    {
      arms: [
        { name: "control", weight: 0.5 },
        { name: "treatment", weight: 0.5 },
      ],
    },
  ],
  [
    "names",
    {
      arms: [
        { name: "control", weight: 0.6 },
        { name: "new", weight: 0.4 },
      ],
    },
  ],
  [
    "order",
    {
      arms: [
        { name: "treatment", weight: 0.4 },
        { name: "control", weight: 0.6 },
      ],
    },
  ],
  ["salt", { salt: "rf2" }],
  ["namespace", { namespace: { name: "search", from: 0, to: 0.5 } }],
  ["namespace part", { namespace: { name: "checkout", from: 0, to: 0.6 } }],
  ["lack of a namespace", { namespace: undefined }],
])("splitDigest() is another one for another %s", (_what, change) => {
  expect(splitDigest({ ...SPLIT, ...change })).not.toBe(splitDigest(SPLIT));
});

it("splitDigest() tells names apart that hold what stands between them", () => {
  const arms = [{ name: 'a",0.5],["b', weight: 1 }];
  const others = [
    { name: "a", weight: 0.5 },
    { name: "b", weight: 1 },
  ];
  expect(splitDigest({ ...SPLIT, arms })).not.toBe(splitDigest({ ...SPLIT, arms: others }));
});
