import { expect, test } from "vitest";
import { loadedYaml } from "../../config/test-yaml.ts";
import { placedModels } from "./models-of-shadows.ts";

/** Where the file's models are to run, by name. */
async function placements(services: string): Promise<Record<string, string>> {
  const { config } = await loadedYaml(
    `
models:
  a: { source: ./a.onnx }
  b: { source: ./a.onnx }
  c: { source: ./a.onnx, placement: inline }
services:
${services}`,
    ["a.onnx"],
  );
  return Object.fromEntries(
    Object.values(placedModels(config)).map(({ name, placement }) => [name, placement]),
  );
}

test("placedModels() puts a model that only a shadow runs on a thread", async () => {
  const found = await placements("  s: { graph: a, traffic: { shadow: [{ to: b }] } }");
  expect(found).toEqual({ a: "auto", b: "worker", c: "inline" });
});

test("placedModels() lets traffic come without what only a shadow runs", async () => {
  const yaml = `
models: { a: { source: ./a.onnx }, b: { source: ./a.onnx } }
services: { s: { graph: a, traffic: { shadow: [{ to: b }] } } }`;
  const { config } = await loadedYaml(yaml, ["a.onnx"]);
  const { a, b } = placedModels(config);
  expect([a?.isRequired, b?.isRequired]).toEqual([true, false]);
});

test("placedModels() looks into the steps of a shadow", async () => {
  const found = await placements(
    "  s: { graph: a, traffic: { shadow: [{ name: both, to: { parallel: { x: b, y: a } } }] } }",
  );
  expect(found).toEqual({ a: "auto", b: "worker", c: "inline" });
});

test("placedModels() lets a model be where the file wants it, or something else answers with it", async () => {
  const shadow = "graph: a, traffic: { shadow: [{ to: b }, { name: c, to: c }]";
  const rule = "rules: [{ name: r, when: { header: { x: y } }, to: b }]";
  const others = [
    `  s: { ${shadow}, ${rule} } }`,
    `  s: { ${shadow} } }\n  t: { graph: { sequence: [b] } }`,
    `  s: { ${shadow} }, overload: { fallback: b } }`,
    `  s: { ${shadow} }, parameters: { deactivated: { fallback: b } } }`,
    `  s: { ${shadow}, experiment: { name: e, arms: { x: a, y: b } } } }`,
  ];
  for (const services of others) {
    const found = await placements(services);
    expect({ services, ...found }).toEqual({ services, a: "auto", b: "auto", c: "inline" });
  }
});
