import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { loadConfig } from "./load.ts";
import { loadedYaml } from "./test-yaml.ts";

const MODELS = "models: { a: a.onnx, b: b.onnx }\n";
const EXPERIMENT = "experiment: { name: e, arms: { control: a, treatment: b } }";
const TRAFFIC = `traffic: { ${EXPERIMENT}, shadow: [{ name: rf, to: b }] }`;

async function warningsOf(yaml: string): Promise<readonly string[]> {
  const { warnings } = await loadedYaml(`${MODELS}${yaml}`);
  return warnings.map(({ location, message }) => `${location} ${message}`);
}

describe("releaseWarnings()", () => {
  it("says that nothing can be decided from predictions that nobody logs", async () => {
    const why = 'predictions of service "x" are not logged, since its log.payload is off';
    const log = "log: { payload: off }";
    expect(await warningsOf(`services: { x: { ${log}, graph: a, ${TRAFFIC} } }`)).toEqual([
      `millrace.yaml:2:34 experiment "e" decides nothing: ${why}`,
      `millrace.yaml:2:34 shadow "rf" gets no verdict: ${why}`,
    ]);
    expect(
      await warningsOf(`services: { x: { graph: a, ${TRAFFIC} } }\nlog: { sink: off }`),
    ).toEqual([
      expect.stringMatching(/^millrace\.yaml:3:14 experiment "e" .*since log\.sink is off$/),
      expect.stringMatching(/^millrace\.yaml:3:14 shadow "rf" .*since log\.sink is off$/),
    ]);
  });

  it("says so where everything stays in memory", async () => {
    const experiment = { name: "e", arms: { control: "a", treatment: "b" } };
    const input = {
      models: { a: "a.onnx", b: "b.onnx" },
      services: { x: { graph: "a", traffic: { experiment } } },
    };
    const result = await loadConfig({ input, flags: [], env: {}, cwd: tmpdir() });
    expect(result).toMatchObject({
      warnings: [{ message: expect.stringContaining("since there is no state.dir") as string }],
    });
  });

  it("says nothing where all is logged, in full or not, or where there is nothing to decide", async () => {
    expect(await warningsOf(`services: { x: { graph: a, ${TRAFFIC} } }`)).toEqual([]);
    const log = "log: { payload: metadata, sample: 1% }";
    expect(await warningsOf(`services: { x: { ${log}, graph: a, ${TRAFFIC} } }`)).toEqual([]);
    expect(await warningsOf("log: { sink: off }")).toEqual([]);
  });

  it("tells of a shadow or an arm that is the same model again", async () => {
    expect(
      await warningsOf(
        "services: { x: { graph: a, traffic: { shadow: [{ to: b }, { name: rf, to: a }] } } }",
      ),
    ).toEqual([
      'millrace.yaml:2:75 shadow "rf" is what service "x" runs itself: they can only agree',
    ]);
    const same = "experiment: { name: e, arms: { control: a, treatment: a } }";
    expect(await warningsOf(`services: { x: { graph: a, traffic: { ${same} } } }`)).toEqual([
      'millrace.yaml:2:68 all arms of experiment "e" are the same: they only differ by chance',
    ]);
  });
});
