import { describe, expect, test } from "vitest";
import type { StepConfig } from "../config/config.ts";
import type { Condition } from "../core/rules/condition.ts";
import { isBare, modelsIn, readsOf, requestPredicateIn, sourceStepsIn } from "./graph-steps.ts";

const AT = ["services", "s", "graph"];
const test1 = { kind: "equals", value: "a" } as const;
const INPUT: Condition = { kind: "input", name: "x", test: test1 };
const HEADER: Condition = { kind: "header", name: "x", test: test1 };
const BODY: Condition = { kind: "body", path: ["x"], test: test1 };

const model = (name: string): StepConfig => ({ kind: "model", name, at: AT, model: name });
const file = (name: string): StepConfig => {
  const options = { path: `/${name}.ts`, timeoutMs: 1, threads: 1, queue: 1 };
  return { kind: "function", name, at: AT, function: options };
};
const sequence = (...steps: StepConfig[]): StepConfig => {
  const members = steps.map((step) => ({ step, onError: model("spare") }));
  return { kind: "sequence", name: "q", at: AT, members, map: {}, versions: "latest" };
};
const parallel = (combine: "each" | "mean", ...branches: StepConfig[]): StepConfig => {
  return {
    kind: "parallel",
    name: "p",
    at: AT,
    branches,
    combine,
    onError: "omit",
    timeoutMs: undefined,
  };
};
const switchOn = (when: Condition, to: StepConfig, standard: StepConfig): StepConfig => {
  const cases = [{ name: "c", when, to }];
  return { kind: "switch", name: "w", at: AT, cases, default: standard };
};

const ALL = sequence(
  file("f"),
  parallel("each", model("a"), switchOn(INPUT, model("b"), sequence(model("c"), file("g")))),
);

test("modelsIn() gives each model once, sourceStepsIn() what adapters open", () => {
  expect([...modelsIn(ALL)]).toEqual(["spare", "a", "b", "c"]);
  expect(sourceStepsIn(ALL).map(({ name }) => name)).toEqual(["f", "g"]);
});

describe("readsOf()", () => {
  const remote = { kind: "remote", name: "r", at: AT, remote: {} } as unknown as StepConfig;
  test.each([
    ["nothing for models and functions", ALL, "nothing"],
    ["nothing for a switch on its inputs", switchOn(INPUT, model("a"), model("b")), "nothing"],
    ["the head for a header", switchOn(HEADER, model("a"), model("b")), "head"],
    ["nothing for a remote", parallel("each", remote), "nothing"],
    [
      "the body wherever it stands",
      parallel("each", remote, sequence(switchOn({ kind: "not", condition: BODY }, ALL, ALL))),
      "body",
    ],
  ] as const)("is %s", (_, step, reads) => {
    expect(readsOf(step)).toBe(reads);
  });
});

test("requestPredicateIn() finds what makes equal inputs differ", () => {
  expect(requestPredicateIn(ALL)).toBeUndefined();
  const both: Condition = { kind: "all", conditions: [INPUT, BODY] };
  expect(requestPredicateIn(sequence(switchOn(both, ALL, ALL)))).toBe("body");
});

test("isBare() is whether branches side by side are the answer", () => {
  const each = parallel("each", model("a"));
  expect(isBare(each)).toBe(true);
  expect(isBare(sequence(model("a"), each))).toBe(true);
  expect(isBare(switchOn(INPUT, model("a"), each))).toBe(true);
  expect(isBare(sequence(each, model("a")))).toBe(false);
  expect(isBare(parallel("mean", model("a")))).toBe(false);
  expect(isBare(model("a"))).toBe(false);
});
