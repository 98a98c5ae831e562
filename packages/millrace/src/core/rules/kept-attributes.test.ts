import { describe, expect, test } from "vitest";
import type { Condition } from "./condition.ts";
import { RuleSet, type Rule } from "./rule-set.ts";
import { attributesOf } from "./test-attributes.ts";

const rule = (name: string, when: Condition): Rule => ({ name, when, to: "m" });

const header = (name: string, text: string): Condition => ({
  kind: "header",
  name,
  test: { kind: "equals", value: text },
});

describe("RuleSet.keep()", () => {
  test("explains a request that is gone as it would have explained the request", () => {
    const rules = new RuleSet([
      rule("both", { kind: "all", conditions: [header("a", "1"), header("b", "2")] }),
      rule("plan", { kind: "cookie", name: "plan", test: { kind: "equals", value: "pro" } }),
      rule("page", { kind: "query", name: "page", test: { kind: "equals", value: "7" } }),
      rule("tier", { kind: "body", path: ["c", 0], test: { kind: "equals", value: "gold" } }),
      rule("here", { kind: "country", header: "x-country", countries: ["DE"] }),
    ]);
    const request = attributesOf({
      headers: { a: "0", b: "2", cookie: "plan=free", "x-country": "FR" },
      query: "page=8",
      body: { c: ["silver"] },
    });

    expect(rules.explain(rules.keep(request), 0)).toEqual(rules.explain(request, 0));
  });

  test("keeps no more of a large value than the tests look at", () => {
    const text = "ab".repeat(100_000);
    const body = { list: [text], text, object: { text } };
    const rules = new RuleSet([
      rule("list", { kind: "body", path: ["list"], test: { kind: "exists", isThere: false } }),
      rule("glob", { kind: "body", path: ["text"], test: { kind: "matches", glob: "a*" } }),
      rule("object", { kind: "body", path: ["object"], test: { kind: "equals", value: "a" } }),
      rule("start", { kind: "body", path: ["text"], test: { kind: "prefix", prefix: "aba" } }),
    ]);
    const request = attributesOf({ body });

    const kept = rules.keep(request);

    expect(rules.explain(kept, 0)).toEqual(rules.explain(request, 0));
    const values = ["list", "text", "object"].map((name) => kept.body([name]));
    expect(JSON.stringify(values).length).toBeLessThan(10_000);
  });

  test("keeps nothing that no rule looks at", () => {
    const rules = new RuleSet([rule("a", header("a", "1"))]);

    const kept = rules.keep(attributesOf({ headers: { a: "1", authorization: "secret" } }));

    expect(kept.header("a")).toBe("1");
    expect(kept.header("authorization")).toBeUndefined();
    expect(kept.header("__proto__")).toBeUndefined();
  });
});
