import { describe, expect, it } from "vitest";
import { problemsOfYaml } from "./test-yaml.ts";

const ARMS = "arms: { control: a, treatment: b }";

function yaml(x: string, y: string): string {
  return [
    "models: { a: a.onnx, b: b.onnx }",
    "services:",
    `  x: { graph: a, ${x} }`,
    `  y: { graph: b, ${y} }`,
  ].join("\n");
}

describe("checkTraffic()", () => {
  it("knows experiments and shadows by name alone, over all services", async () => {
    const experiment = `experiment: { name: e, ${ARMS} }`;
    const x = `traffic: { ${experiment}, shadow: [{ to: b }] }`;
    const y = `traffic: { ${experiment}, shadow: [{ to: a }, { name: b, to: a }] }`;
    expect(await problemsOfYaml(yaml(x, y))).toEqual([
      expect.stringMatching(
        /^millrace\.yaml:4:\d+ services\.y\.traffic\.experiment\.name: found the name "e", which service "x" uses already, expected another one$/,
      ),
      expect.stringContaining(
        'services.y.traffic.shadow[1].name: found the name "b", which service "x" uses already',
      ),
    ]);
  });

  it("wants the same unit in the log as in the experiment", async () => {
    const service = (unit: string, logged: string) =>
      `traffic: { experiment: { name: e, ${ARMS}, unit: ${unit} } }, log: { unit: ${logged} }`;
    const of = (unit: string, logged: string) => problemsOfYaml(yaml(service(unit, logged), ""));
    expect(await of("header.user", "cookie.user")).toEqual([
      expect.stringContaining(
        'services.x.log.unit: found "cookie.user", expected that of the experiment or none',
      ),
    ]);
    expect(await of("[header.user, cookie.user]", "header.User")).toEqual([]);
  });

  it("refuses parts of a namespace that overlap, and takes those that touch", async () => {
    const part = (name: string, space: string) =>
      `traffic: { experiment: { name: ${name}, ${ARMS}, namespace: { name: ${space} } } }`;
    const of = (one: string, other: string) =>
      problemsOfYaml(yaml(part("e", one), part("f", other)));
    expect(await of("n, from: 0, to: 0.6", "n, from: 0.5, to: 1")).toEqual([
      expect.stringContaining(
        'services.y.traffic.experiment.namespace: overlaps the part of experiment "e", 0 % to 60 %',
      ),
    ]);
    expect(await of("n, from: 0, to: 0.5", "n, from: 0.5, to: 1")).toEqual([]);
    expect(await of("n, from: 0, to: 0.6", "m, from: 0.5, to: 1")).toEqual([]);
  });
});
