import { describe, expect, it } from "vitest";
import type { ShadowConfig } from "./shadow-config.ts";
import { loadedYaml, problemsOfYaml } from "./test-yaml.ts";

const AT = "services.x.traffic";

function yaml(traffic: string): string {
  const models = "models: { a: a.onnx, b: b.onnx, c: c.onnx }";
  return `${models}\nservices:\n  x: { graph: a, traffic: { ${traffic} } }`;
}

async function shadowsOf(traffic: string, files: readonly string[] = []) {
  const { services } = (await loadedYaml(yaml(traffic), files)).config;
  return services["x"]?.shadows as readonly ShadowConfig[];
}

describe("resolveShadows()", () => {
  it("copies everything and compares labels or numbers unless the file says otherwise", async () => {
    expect(await shadowsOf("shadow: [{ to: b }]")).toEqual([
      {
        name: "b",
        to: "b",
        share: 1,
        compare: { kind: "auto" },
        timeoutMs: undefined,
        concurrency: 32,
        queue: 256,
        isExcluded: false,
        verdict: {
          agreementMin: 0.99,
          errorDifferenceMax: 0.005,
          latencyRatioMax: 1.2,
          pairsMin: 1000,
          lengthMinMs: 600_000,
          everyMs: 10_000,
          excludes: true,
        },
      },
    ]);
  });

  it.each([
    ["label", { kind: "label" }],
    ["equal", { kind: "equal" }],
    ["{ tolerance: 0.01 }", { kind: "tolerance", tolerance: 0.01 }],
    ["{ topK: 3 }", { kind: "top-k", k: 3 }],
    [
      "./compare.ts",
      { kind: "function", path: expect.stringMatching(/^\/.*\/compare\.ts$/) as string },
    ],
  ])("compares by %s", async (compare, expected) => {
    const [shadow] = await shadowsOf(`shadow: [{ to: b, compare: ${compare} }]`, ["compare.ts"]);
    expect(shadow?.compare).toEqual(expected);
  });

  it("excludes by name those that the file or an override excludes", async () => {
    const shadow = "shadow: [{ name: rf, to: b }, { to: c }]";
    const isExcluded = (shadows: readonly ShadowConfig[]) => shadows.map((one) => one.isExcluded);
    expect(isExcluded(await shadowsOf(`${shadow}, excluded: { rf: true, c: false }`))).toEqual([
      true,
      false,
    ]);
    const file = await loadedYaml(yaml(shadow));
    const laid = await file.layOver([{ path: `${AT}.excluded.c`, value: true, version: 1 }]);
    if (laid.kind === "invalid") throw new Error(JSON.stringify(laid.problems));
    expect(isExcluded(laid.config.services["x"]?.shadows ?? [])).toEqual([false, true]);
  });

  it.each([
    [
      "shadow: [{ to: b }, { to: b }]",
      'shadow[1].name: found "b" again, expected a name of its own',
    ],
    ["shadow: [{ to: bb }]", `3:44 ${AT}.shadow[0].to: found "bb", expected the name of a model`],
    ["shadow: [{ to: b, compare: lable }]", 'compare: found "lable", expected auto, equal, label'],
    ["shadow: [{ to: b, compare: ./c.ts }]", `compare: file "./c.ts" does not exist`],
    ["shadow: [{ to: b, compare: ./c.py }]", 'compare: found "./c.py", expected auto'],
    ["shadow: [{ to: b, compare: { topK: 3, tolerance: 1 } }]", "found topK and tolerance in one"],
    ["shadow: [{ to: b, percent: 101% }]", `shadow[0].percent: found "101%"`],
    [
      "shadow: [{ to: b }], excluded: { rf: true }",
      `${AT}.excluded.rf: found "rf", expected a shadow: there is b`,
    ],
    ["excluded: { constructor: true }", 'found "constructor", expected a shadow: there is none'],
  ])("refuses { %s }", async (traffic, problem) => {
    expect(await problemsOfYaml(yaml(traffic))).toEqual([expect.stringContaining(problem)]);
  });
});
