import { describe, expect, it } from "vitest";
import { decodeMessage } from "../../core/protobuf/message-type.ts";
import { ModelInferRequest } from "../../serve/grpc/inference-messages.ts";
import { LoadInputError } from "../load-input-error.ts";
import { inferMessage } from "./infer-message.ts";

function messageOf(body: string, model?: { name: string; version: string }) {
  return decodeMessage(ModelInferRequest, inferMessage(Buffer.from(body), model));
}

describe("inferMessage()", () => {
  it("has the members of the body, and the elements as raw contents", () => {
    const body = `{
      "model_name": "iris", "model_version": "2", "id": "größe",
      "parameters": { "a": true, "b": 7, "c": "text", "d": 1.5 },
      "inputs": [
        { "name": "x", "shape": [2, 2], "datatype": "FP32", "data": [[5.1, 3.5], [1.4, 0.2]] },
        { "data": [9007199254740993], "name": "y", "shape": [1], "datatype": "INT64" },
        { "name": "z", "shape": [2], "datatype": "BYTES", "data": ["ä", ""] }
      ],
      "outputs": [{ "name": "o", "parameters": { "classification": 2 } }]
    }`;
    const read = messageOf(body);
    expect(read).toMatchObject({
      model_name: "iris",
      model_version: "2",
      id: "größe",
      parameters: new Map([
        ["a", expect.objectContaining({ bool_param: true })],
        ["b", expect.objectContaining({ int64_param: 7 })],
        ["c", expect.objectContaining({ string_param: "text" })],
        ["d", expect.objectContaining({ double_param: 1.5 })],
      ]),
      inputs: [
        { name: "x", datatype: "FP32", shape: [2, 2], contents: undefined },
        { name: "y", datatype: "INT64", shape: [1] },
        { name: "z", datatype: "BYTES", shape: [2] },
      ],
      outputs: [
        {
          name: "o",
          parameters: new Map([["classification", expect.objectContaining({ int64_param: 2 })]]),
        },
      ],
    });
    const raw = read["raw_input_contents"] as Uint8Array[];
    expect(raw.map((bytes) => Buffer.from(bytes).toString("hex"))).toEqual([
      Buffer.from(Float32Array.of(5.1, 3.5, 1.4, 0.2).buffer).toString("hex"),
      Buffer.from(BigInt64Array.of(9007199254740993n).buffer).toString("hex"),
      "02000000c3a400000000",
    ]);
  });

  it("is for the model it is given where the body names none", () => {
    const inputs = '"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]';
    expect(messageOf(`{${inputs}}`, { name: "a", version: "3" })).toMatchObject({
      model_name: "a",
      model_version: "3",
    });
    expect(messageOf(`{"model_name":"b",${inputs}}`, { name: "a", version: "" })).toMatchObject({
      model_name: "b",
      model_version: "",
    });
  });

  it.each<[string, string, string]>([
    ["is no JSON", "{", "Cannot make a gRPC message of the body: "],
    ["has no inputs", '{"data": [[1]]}', "body.inputs missing, expected a list"],
    ["names no model", '{"inputs": []}', "body.model_name missing, nor is it in the URL"],
    [
      "has an element of another type",
      '{"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": ["a"]}]}',
      "body.inputs.0.data.0",
    ],
    [
      "has too few elements",
      '{"inputs": [{"name": "x", "shape": [2], "datatype": "FP32", "data": [1]}]}',
      "body.inputs.0.data found 1 elements, shape asks for 2",
    ],
    [
      "has an input without a shape",
      '{"inputs": [{"name": "x", "datatype": "FP32", "data": [1]}]}',
      "body.inputs.0.shape missing",
    ],
  ])("throws a LoadInputError when the body %s", (_what, body, message) => {
    expect(() => messageOf(body)).toThrow(message);
    expect(() => messageOf(body)).toThrow(LoadInputError);
  });
});
