import { describe, expect, it } from "vitest";
import { UsageError } from "./command.ts";
import type { LoadedService } from "./load-service.ts";
import { rowsBody, sampleBody, sampleRows } from "./service-body.ts";

function service(facts: Pick<LoadedService, "inputs" | "sample">): LoadedService {
  const urls = { url: "", grpcUrl: "", metricsUrl: undefined, controlUrl: undefined };
  return { name: "shop", headers: [], ...urls, ...facts };
}

const IRIS = service({
  inputs: [{ name: "x", datatype: "FP32", shape: [-1, 2] }],
  sample: [
    [5.1, 3],
    [1, 2],
  ],
});

const PICTURE = service({
  inputs: [{ name: "image_data", datatype: "BYTES", shape: [-1] }],
  sample: ["QUJD"],
});

const TWO = service({
  inputs: [
    { name: "age", datatype: "INT64", shape: [-1, 1] },
    { name: "city", datatype: "BYTES", shape: [-1, 1] },
  ],
  sample: { age: [[9007199254740993n]], city: [["Bonn"]] },
});

describe("sampleBody()", () => {
  it.each([
    [IRIS, '{"data":[[5.1,3],[1,2]]}'],
    [PICTURE, '{"image_data":["QUJD"]}'],
    [TWO, '{"inputs":{"age":[[9007199254740993]],"city":[["Bonn"]]}}'],
  ])("asks for a prediction as /predict takes it", (of, body) => {
    expect(sampleBody(of, "predict")).toBe(body);
  });

  it.each([
    [IRIS, '{"inputs":[{"name":"x","datatype":"FP32","shape":[2,2],"data":[5.1,3,1,2]}]}'],
    [PICTURE, '{"inputs":[{"name":"image_data","datatype":"BYTES","shape":[1],"data":["QUJD"]}]}'],
    [
      TWO,
      '{"inputs":[{"name":"age","datatype":"INT64","shape":[1,1],"data":[9007199254740993]},{"name":"city","datatype":"BYTES","shape":[1,1],"data":["Bonn"]}]}',
    ],
  ])("asks as the Open Inference Protocol does", (of, body) => {
    expect(sampleBody(of, "infer")).toBe(body);
  });

  it("says what to do where there is no sample", () => {
    const bare = service({ inputs: IRIS.inputs, sample: undefined });
    expect(() => sampleBody(bare, "predict")).toThrow(
      /"shop" has no sample to send: give --data FILE/,
    );
    const pictures = service({ inputs: PICTURE.inputs, sample: undefined });
    expect(() => sampleBody(pictures, "predict")).toThrow(/give --body picture\.jpg/);
  });
});

describe("rowsBody()", () => {
  it("leaves places for rows", () => {
    expect(rowsBody(IRIS, ["a", "b"], "predict")).toBe('{"data":{{rows}}}');
    expect(rowsBody(IRIS, ["a", "b"], "infer")).toBe(
      '{"inputs":[{"name":"x","datatype":"FP32","shape":[{{count}},2],"data":{{rows}}}]}',
    );
    expect(rowsBody(PICTURE, ["file"], "predict")).toBe('{"image_data":[{{row.file}}]}');
  });

  it.each([
    [IRIS, ["a"], 'service "shop" takes rows of 2, the file has 1 columns: a'],
    [PICTURE, ["a", "b"], 'service "shop" takes rows of 1, the file has 2 columns: a, b'],
    [TWO, ["a", "b"], "takes age INT64[-1,1], city BYTES[-1,1]: say with --body FILE"],
  ])("refuses rows that do not fit", (of, columns, message) => {
    expect(() => rowsBody(of, columns, "predict")).toThrow(UsageError);
    expect(() => rowsBody(of, columns, "predict")).toThrow(message);
  });
});

describe("sampleRows()", () => {
  it("makes rows of the sample", () => {
    const { rows, body } = sampleRows(IRIS, "infer");
    expect(body).toContain('"shape":[{{count}},2],"data":{{rows}}');
    expect(Buffer.from(rows.bytes).toString()).toBe("5.1,3,1,2,");
  });

  it("refuses texts, which have no rows of their own", () => {
    expect(() => sampleRows(PICTURE, "predict")).toThrow(/image_data BYTES\[-1\]: say with --body/);
  });
});
