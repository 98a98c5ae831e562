import { expect, it } from "vitest";
import type { Condition } from "./condition.ts";
import { RuleSet } from "./rule-set.ts";
import type { Rule } from "./rule-set.ts";
import { attributesOf } from "./test-attributes.ts";
import type { TestRequest } from "./test-attributes.ts";

const SEOUL_NIGHT_MS = Date.parse("2026-11-20T14:00:00Z");
const SEOUL_BREAKFAST_MS = Date.parse("2026-11-20T23:00:00Z");

function target(value: string): Condition {
  return { kind: "header", name: "target", test: { kind: "equals", value } };
}

const RULES: readonly Rule[] = [
  { name: "mountain", when: target("mountain"), to: "plant" },
  {
    name: "breakfast",
    when: {
      kind: "time",
      window: {
        fromMinute: 7 * 60,
        toMinute: 11 * 60,
        timeZone: "Asia/Seoul",
        weekdays: undefined,
        fromDay: undefined,
        toDay: undefined,
      },
    },
    to: "menu-morning",
  },
  {
    name: "adult",
    when: { kind: "query", name: "age", test: { kind: "atLeast", bound: 18 } },
    to: "menu-full",
  },
];

function ruleOf(rules: readonly Rule[], request: TestRequest, nowWallMs = SEOUL_NIGHT_MS) {
  return new RuleSet(rules).match(attributesOf(request), nowWallMs).rule?.name;
}

it("match() takes the first rule that matches", () => {
  const request = { headers: { target: "mountain" }, query: "age=30" };
  expect(ruleOf(RULES, request, SEOUL_BREAKFAST_MS)).toBe("mountain");
  expect(ruleOf(RULES.toReversed(), request, SEOUL_BREAKFAST_MS)).toBe("adult");
  expect(ruleOf(RULES, { query: "age=30" }, SEOUL_BREAKFAST_MS)).toBe("breakfast");
  expect(ruleOf(RULES, { query: "age=30" })).toBe("adult");
});

it("match() finds no rule when none matches, or there are none", () => {
  expect(ruleOf(RULES, { headers: { target: "sea" } })).toBeUndefined();
  expect(ruleOf([], { headers: { target: "mountain" } })).toBeUndefined();
});

it("match() counts invalid values of the rules it looked at", () => {
  const rules = new RuleSet(RULES);
  const invalid = attributesOf({ query: "age=old" });
  expect(rules.match(invalid, SEOUL_NIGHT_MS)).toEqual({ rule: undefined, invalidCount: 1 });
  expect(rules.match(invalid, SEOUL_BREAKFAST_MS).invalidCount).toBe(0);
});

it("match() finds the last of a thousand rules, and asks for their header once", () => {
  const rules = Array.from({ length: 1000 }, (_, i) => ({
    name: `rule-${i}`,
    when: target(`place-${i}`),
    to: "plant",
  }));
  let askedCount = 0;
  const attributes = {
    ...attributesOf({}),
    header: () => {
      askedCount++;
      return "place-999";
    },
  };
  const match = new RuleSet(rules).match(attributes, SEOUL_NIGHT_MS);
  expect(match.rule?.name).toBe("rule-999");
  expect(askedCount).toBe(1);
});

it("looksAtBody tells whether any rule does, however deep", () => {
  expect(new RuleSet(RULES).looksAtBody).toBe(false);
  const body: Condition = { kind: "body", path: ["a"], test: { kind: "equals", value: 1 } };
  const when: Condition = {
    kind: "any",
    conditions: [target("sea"), { kind: "not", condition: { kind: "all", conditions: [body] } }],
  };
  expect(new RuleSet([...RULES, { name: "deep", when, to: "plant" }]).looksAtBody).toBe(true);
});

it("RuleSet() refuses a time zone that does not exist, before any request", () => {
  const when: Condition = {
    kind: "not",
    condition: {
      kind: "all",
      conditions: [
        {
          kind: "time",
          window: {
            fromMinute: 0,
            toMinute: 60,
            timeZone: "Europe/Atlantis",
            weekdays: undefined,
            fromDay: undefined,
            toDay: undefined,
          },
        },
      ],
    },
  };
  expect(() => new RuleSet([{ name: "a", when, to: "b" }])).toThrow(RangeError);
});

it("explain() tells for each rule up to the matching one what it came to", () => {
  const rules = new RuleSet(RULES);
  const attributes = attributesOf({ headers: { target: "sea" } });
  expect(rules.explain(attributes, SEOUL_BREAKFAST_MS)).toEqual([
    {
      name: "mountain",
      to: "plant",
      isMatch: false,
      why: 'false: header target equals "mountain", found "sea"',
    },
    {
      name: "breakfast",
      to: "menu-morning",
      isMatch: true,
      why: "true: time 07:00 to 11:00 Asia/Seoul, found sat 2026-11-21 08:00",
    },
  ]);
});

it("explain() tells of all rules when none matches", () => {
  const explanations = new RuleSet(RULES).explain(attributesOf({}), SEOUL_NIGHT_MS);
  expect(explanations.map(({ name, isMatch }) => [name, isMatch])).toEqual([
    ["mountain", false],
    ["breakfast", false],
    ["adult", false],
  ]);
});

it("explain() tells of no more rules than it is asked for", () => {
  const explanations = new RuleSet(RULES).explain(attributesOf({}), SEOUL_NIGHT_MS, 2);
  expect(explanations.map(({ name }) => name)).toEqual(["mountain", "breakfast"]);
});
