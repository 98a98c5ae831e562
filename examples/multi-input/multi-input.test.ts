import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMillrace, type Millrace } from "millrace";
import { copyExample, MillraceProcess } from "../../test/e2e/millrace-process.ts";
import { expectGolden, goldenCases, postJson, rowsOf, type GoldenCase } from "../golden.ts";
import { describeReadme } from "../run-readme.ts";

describeReadme("multi-input");

const COLUMNS = ["distance_km", "weight_kg", "stops", "rain_mm", "region"];
const CASES = goldenCases("multi_input.onnx");

interface Predictions {
  readonly predictions: unknown;
}

describe("multi-input", () => {
  let example: { path: string; remove: () => Promise<void> };
  let millrace: MillraceProcess;
  let library: Millrace;

  beforeAll(async () => {
    example = await copyExample("multi-input");
    millrace = await MillraceProcess.start(["up", example.path]);
    library = await createMillrace({
      models: { parcel: `${example.path}/../models/multi_input.onnx` },
      server: { log: { level: "warn" } },
    });
  });
  afterAll(async () => {
    await library.close();
    await millrace.stop();
    await example.remove();
  });

  it("/predict answers as Python does when given rows by input name", async () => {
    for (const one of CASES) {
      const inputs = {
        measurements: rowsOf(one.inputs["measurements"]),
        region: rowsOf(one.inputs["region"]),
      };
      const { body } = await postJson<{ prediction: unknown }>(`${millrace.url}/predict`, {
        inputs,
      });
      const rows = inputs.region.length === 1 ? [body.prediction] : body.prediction;
      expectGolden(rows, probabilitiesOf(one));
      const { body: named } = await postJson<{ prediction: unknown }>(
        `${millrace.url}/predict/label`,
        { inputs },
      );
      expect([named.prediction].flat()).toEqual(one.outputs["output_label"]?.data);
    }
  });

  it("/v2 answers as Python does when given an FP32 and a BYTES tensor", async () => {
    for (const one of CASES) {
      const inputs = Object.entries(one.inputs).map(([name, tensor]) => ({ name, ...tensor }));
      const { body } = await postJson<{ outputs: { data: unknown }[] }>(
        `${millrace.url}/v2/models/parcel/infer`,
        { inputs, outputs: [{ name: "output_label" }, { name: "probabilities" }] },
      );
      const [labels, probabilities] = body.outputs;
      expect(labels?.data).toEqual(one.outputs["output_label"]?.data);
      expectGolden([probabilities?.data], [probabilitiesOf(one).flat()]);
    }
  });

  it("/invocations answers as Python does when given a data frame with its columns in any order", async () => {
    for (const one of CASES) {
      for (const order of [COLUMNS, COLUMNS.toReversed()]) {
        const { body } = await postJson<Predictions>(`${millrace.url}/invocations`, {
          dataframe_split: { columns: order, data: tableOf(one, order) },
        });
        expectGolden(body.predictions, probabilitiesOf(one));
      }
    }
  });

  it("/invocations answers as Python does when given text/csv", async () => {
    for (const one of CASES) {
      const lines = [COLUMNS, ...tableOf(one, COLUMNS)].map((fields) => fields.join(","));
      const { body } = await postJson<Predictions>(
        `${millrace.url}/invocations`,
        lines.join("\r\n"),
        { "content-type": "text/csv" },
      );
      expectGolden(body.predictions, probabilitiesOf(one));
    }
  });

  it("/invocations names the columns when one is missing", async () => {
    const columns = COLUMNS.filter((name) => name !== "rain_mm");
    const reply = await postJson<{ detail: string }>(`${millrace.url}/invocations`, {
      dataframe_split: { columns, data: [[40, 1, 15, "île"]] },
    });
    expect(reply.status).toBe(400);
    for (const name of COLUMNS.slice(0, 4)) expect(reply.body.detail).toContain(`"${name}"`);
  });

  it.each([
    {
      what: "an input is missing",
      inputs: { measurements: [[40, 1, 15, 6.5]] },
      location: ["body", "inputs"],
    },
    {
      what: "the inputs have different numbers of rows",
      inputs: { measurements: [[40, 1, 15, 6.5]], region: [["île"], ["plain"]] },
      location: ["body", "inputs", "region"],
    },
    {
      what: "text is a number",
      inputs: { measurements: [[40, 1, 15, 6.5]], region: [[7]] },
      location: ["body", "inputs", "region", 0, 0],
    },
  ])("/predict says where the body is wrong when $what", async ({ inputs, location }) => {
    const reply = await postJson<{ errors: { location: (string | number)[] }[] }>(
      `${millrace.url}/predict`,
      {
        inputs,
      },
    );
    expect(reply.status).toBe(400);
    expect(reply.body.errors[0]?.location.slice(0, location.length)).toEqual(location);
  });

  it("predict() gives what /predict gives when it runs in the calling process", async () => {
    for (const one of CASES) {
      const measurements = rowsOf(one.inputs["measurements"]);
      const region = rowsOf(one.inputs["region"]);
      const { prediction, label } = await library.predict("parcel", { measurements, region });
      expectGolden(region.length === 1 ? [prediction] : prediction, probabilitiesOf(one));
      expect([label].flat()).toEqual(one.outputs["output_label"]?.data);
    }
  });
});

function probabilitiesOf(one: GoldenCase): (number | string)[][] {
  return rowsOf(one.outputs["output_probability"]);
}

/** The inputs as one table. */
function tableOf(one: GoldenCase, order: readonly string[]): unknown[][] {
  const region = rowsOf(one.inputs["region"]);
  const rows = rowsOf(one.inputs["measurements"]).map((row, i) => [...row, region[i]?.[0]]);
  return rows.map((row) => order.map((name) => row[COLUMNS.indexOf(name)]));
}
