import type { Attributes } from "../../packages/millrace/src/core/rules/attributes.ts";
import type { Condition } from "../../packages/millrace/src/core/rules/condition.ts";
import { readQuery } from "../../packages/millrace/src/core/rules/read-query.ts";
import { RuleSet, RULES_MAX, type Rule } from "../../packages/millrace/src/core/rules/rule-set.ts";
import { percentilesOf, type Percentiles } from "../percentiles.ts";
import type { Plan } from "./plan.ts";

/** A request that all rules are asked about. */
export interface RuleMatchingRow {
  readonly matches: "none" | "the last";
  readonly rules: number;
  readonly us: Percentiles;
}

const WARMUP = 2000;
/** Requests that take turns, each with headers, a query and a unit of its own. */
const REQUESTS = 64;
/** 2026-11-20 12:00 UTC, a Friday. */
const NOON_MS = Date.UTC(2026, 10, 20, 12);
const ZONES = ["Europe/Berlin", "Asia/Seoul", "America/New_York", "Australia/Sydney", "UTC"];
const HEADERS = ["target", "x-tenant", "x-plan", "x-region", "user-agent"];
const LAST: Rule = {
  name: "last",
  when: { kind: "header", name: "target", test: { kind: "prefix", prefix: "value" } },
  to: "a",
};

/** The worst cases: every rule is asked, and none or the last one matches. */
export function measureRuleMatching({ ruleMatches }: Plan): RuleMatchingRow[] {
  const rules = Array.from({ length: RULES_MAX - 1 }, (_, i): Rule => {
    return { name: `rule-${i}`, when: conditionOf(i), to: "a" };
  });
  const never = { name: "never", when: conditionOf(0), to: "a" };
  const cases = [
    { matches: "none", ruleSet: new RuleSet([...rules, never]), expected: undefined },
    { matches: "the last", ruleSet: new RuleSet([...rules, LAST]), expected: LAST },
  ] as const;
  const requests = unmatchedRequests(new RuleSet(rules));
  return cases.map(({ matches, ruleSet, expected }) => {
    const taken: number[] = [];
    for (let i = 0; i < WARMUP + ruleMatches; i++) {
      const request = requests[i % REQUESTS] as Attributes;
      const startMs = performance.now();
      const { rule } = ruleSet.match(request, NOON_MS);
      const tookUs = (performance.now() - startMs) * 1000;
      if (rule !== expected) throw new Error(`Rule ${rule?.name ?? "none"} matched`);
      if (i >= WARMUP) taken.push(tookUs);
    }
    return { matches, rules: RULES_MAX, us: percentilesOf(taken) };
  });
}

/** Each kind for every fifth rule; all of them have to be looked at to be found false. */
function conditionOf(i: number): Condition {
  const header = HEADERS[i % HEADERS.length] ?? "";
  const conditions: readonly Condition[] = [
    { kind: "header", name: header, test: { kind: "equals", value: `value-of-${i}` } },
    { kind: "header", name: header, test: { kind: "prefix", prefix: `value-${i}-` } },
    {
      kind: "query",
      name: i % 2 === 0 ? "mode" : "plan",
      test: { kind: "equals", value: `q${i}` },
    },
    { kind: "percent", share: 0.0001, salt: `rule-${i}` },
    { kind: "time", window: nightIn(ZONES[Math.floor(i / 5) % ZONES.length] ?? "UTC", i) },
  ];
  // Turned by one every five, so that no kind always meets the same header or zone.
  return conditions[(i + Math.floor(i / 5)) % conditions.length] as Condition;
}

/** A minute that no clock of the zones shows at noon UTC: theirs are at full hours. */
function nightIn(
  timeZone: string,
  i: number,
): Extract<Condition, { readonly kind: "time" }>["window"] {
  const fromMinute = (i % 23) * 60 + 1;
  const weekdays = i % 2 === 0 ? undefined : (["mon", "fri"] as const);
  const always = { fromDay: undefined, toDay: undefined };
  return { fromMinute, toMinute: fromMinute + 30, timeZone, weekdays, ...always };
}

/** Requests of which no rule takes one in ten thousand. */
function unmatchedRequests(ruleSet: RuleSet): Attributes[] {
  const found: Attributes[] = [];
  for (let i = 0; found.length < REQUESTS; i++) {
    const request = requestOf(i);
    if (ruleSet.match(request, NOON_MS).rule === undefined) found.push(request);
  }
  return found;
}

function requestOf(i: number): Attributes {
  const headers = new Map(HEADERS.map((name) => [name, `value-x${i}`]));
  const query = `id=${i}&mode=careful&plan=p${i}`;
  return {
    method: "POST",
    path: "/predict",
    header: (name) => headers.get(name),
    query: (name) => readQuery(query, name),
    cookie: () => undefined,
    body: () => undefined,
    caller: undefined,
    unit: `01a1fe7a-098b-7c2f-b1f1-c5e3${String(i).padStart(8, "0")}`, // a prediction id
  };
}
