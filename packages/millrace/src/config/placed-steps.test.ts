import { describe, expect, it } from "vitest";
import { loadedYaml, problemsOfYaml } from "./test-yaml.ts";

const MODELS = "models: { a: a.onnx, b: b.onnx, c: c.onnx }\n";
const ARMS = "arms: { control: a, treatment: { sequence: [b, c] } }";

function yaml(traffic: string, others = ""): string {
  return `${MODELS}services:\n  x: { graph: a, traffic: { ${traffic} } }\n${others}`;
}

describe("findPlacedSteps()", () => {
  it("makes a step that is written as an arm or a shadow a service", async () => {
    const shadow = "shadow: [{ to: { sequence: [c, b] } }, { name: rf, to: { sequence: [b] } }]";
    const { services } = (await loadedYaml(yaml(`experiment: { name: e, ${ARMS} }, ${shadow}`)))
      .config;
    expect(services["x"]?.experiment?.arms.map(({ to }) => to)).toEqual(["a", "x.treatment"]);
    expect(services["x"]?.shadows.map(({ name, to }) => [name, to])).toEqual([
      ["shadow-1", "x.shadow-1"],
      ["rf", "x.rf"],
    ]);
    expect(services["x.treatment"]).toMatchObject({
      isDefault: false,
      graph: { kind: "sequence" },
    });
    expect(services["x.rf"]?.graph.kind).toBe("sequence");
    // The service that was written is still the only one for /predict.
    expect(services["x"]?.isDefault).toBe(true);
  });

  it("reports a step whose service has the name of another one", async () => {
    const experiment = `experiment: { name: e, ${ARMS} }`;
    expect(await problemsOfYaml(yaml(experiment, "  x.treatment: { graph: b }"))).toEqual([
      expect.stringMatching(
        /^millrace\.yaml:3:\d+ services\.x\.traffic\.experiment\.arms\.treatment: its service would be "x\.treatment", and there is one of that name already$/,
      ),
    ]);
    const shadow = "shadow: [{ name: treatment, to: { sequence: [b, c] } }]";
    expect(await problemsOfYaml(yaml(`${experiment}, ${shadow}`))).toEqual([
      expect.stringContaining('traffic.shadow[0].to: its service would be "x.treatment"'),
    ]);
  });

  it("reports what is wrong in such a step where it is written", async () => {
    const arms = "arms: { control: a, treatment: { sequence: [b, nope] } }";
    expect(await problemsOfYaml(yaml(`experiment: { name: e, ${arms} }`))).toEqual([
      expect.stringContaining(
        'experiment.arms.treatment.sequence[1]: found "nope", expected the name',
      ),
    ]);
  });
});
