import { describe, expect, test } from "vitest";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { writeInferReply } from "./infer-reply.ts";

const NUMBERS: Tensor = { name: "n", datatype: "INT16", shape: [1, 2], data: Int16Array.of(1, -1) };
const TEXTS: Tensor = { name: "t", datatype: "BYTES", shape: [1], data: ["é"] };
const FACTS = { modelName: "m", modelVersion: "3", id: undefined };

describe("writeInferReply()", () => {
  test("writeInferReply() writes JSON when no output is binary", () => {
    const outputs = [{ name: "N", tensor: NUMBERS, isBinary: false }];
    expect(writeInferReply({ ...FACTS, id: 'a"b', outputs })).toEqual({
      bytes:
        '{"model_name":"m","model_version":"3","id":"a\\"b","outputs":[{"name":"N","datatype":"INT16","shape":[1,2],"data":[1,-1]}]}',
      jsonBytes: undefined,
    });
  });

  test("writeInferReply() puts binary outputs behind the JSON, in their order", () => {
    const outputs = [
      { name: "t", tensor: TEXTS, isBinary: true },
      { name: "j", tensor: NUMBERS, isBinary: false },
      { name: "n", tensor: NUMBERS, isBinary: true },
    ];
    const { bytes, jsonBytes = 0 } = writeInferReply({ ...FACTS, outputs });
    const body = bytes as Uint8Array;
    expect(JSON.parse(new TextDecoder().decode(body.subarray(0, jsonBytes)))).toEqual({
      model_name: "m",
      model_version: "3",
      outputs: [
        { name: "t", datatype: "BYTES", shape: [1], parameters: { binary_data_size: 6 } },
        { name: "j", datatype: "INT16", shape: [1, 2], data: [1, -1] },
        { name: "n", datatype: "INT16", shape: [1, 2], parameters: { binary_data_size: 4 } },
      ],
    });
    expect(jsonBytes % 8).toBe(0);
    expect([...body.subarray(jsonBytes)]).toEqual([2, 0, 0, 0, 0xc3, 0xa9, 1, 0, 0xff, 0xff]);
  });
});
