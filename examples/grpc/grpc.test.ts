import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MillraceClient } from "millrace-client";
import type { Tensor } from "millrace-client";
import { copyExample, MillraceProcess } from "../../test/e2e/millrace-process.ts";
import { expectGolden, goldenCases, rowsOf } from "../golden.ts";
import { describeReadme } from "../run-readme.ts";

describeReadme("grpc");

describe("grpc", () => {
  let example: { path: string; remove: () => Promise<void> };
  let millrace: MillraceProcess;
  let client: MillraceClient;

  beforeAll(async () => {
    example = await copyExample("grpc");
    millrace = await MillraceProcess.start(["up", example.path]);
    client = new MillraceClient({ url: millrace.url, timeoutMs: 10_000 });
  });
  afterAll(async () => {
    await millrace.stop();
    await example.remove();
  });

  it("infer() answers as Python does when tensors travel as bytes", async () => {
    for (const { inputs, outputs } of goldenCases("iris_svc.onnx")) {
      const answer = await infer(rowsOf(inputs["float_input"]) as number[][], "binary");
      const data = Array.from(answer.data as Float32Array);
      expectGolden(
        rowsOf({ datatype: answer.datatype, shape: answer.shape, data }),
        rowsOf(outputs["output_probability"]),
      );
    }
  });

  it("infer() answers bit by bit the same when tensors travel as bytes and as JSON", async () => {
    const rows = goldenCases("iris_svc.onnx").flatMap(
      ({ inputs }) => rowsOf(inputs["float_input"]) as number[][],
    );
    expect((await infer(rows, "binary")).data).toEqual((await infer(rows, "json")).data);
  });

  async function infer(
    rows: readonly (readonly number[])[],
    encoding: "binary" | "json",
  ): Promise<Tensor> {
    const { outputs } = await client.infer("iris", {
      inputs: [
        { name: "float_input", shape: [rows.length, 4], data: Float32Array.from(rows.flat()) },
      ],
      outputs: ["probabilities"],
      encoding,
    });
    return outputs[0] as Tensor;
  }
});
