import { expect, test } from "vitest";
import { TestRandom } from "../../core/test-random.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { inferResponseFrame } from "./infer-response.ts";
import { loadOracle, oracleOf } from "./test-oracle.ts";

const ORACLE = loadOracle();

function outputs(random: TestRandom): Tensor[] {
  const rows = random.below(300);
  return [
    {
      name: "größe",
      datatype: "FP32",
      shape: [rows, 2],
      data: new Float32Array(rows * 2).fill(0.5),
    },
    { name: "", datatype: "INT64", shape: [1], data: BigInt64Array.of(-(2n ** 63n)) },
    { name: "text", datatype: "BYTES", shape: [2], data: ["", "漢".repeat(random.below(100))] },
    { name: "scalar", datatype: "BOOL", shape: [], data: Uint8Array.of(1) },
  ];
}

test.each([false, true])(
  "inferResponseFrame() writes what protobufjs reads when isInStream is %s",
  (isInStream) => {
    const seed = Date.now() % 1e9;
    const random = new TestRandom(seed);
    const method = isInStream ? "ModelStreamInfer" : "ModelInfer";
    const { decode, encode } = oracleOf(ORACLE, method).response;
    for (let round = 0; round < 200; round++) {
      const tensors = outputs(random);
      const response = {
        modelName: random.pick(["iris", "größe", ""]),
        modelVersion: "12",
        id: random.pick(["", "x".repeat(300)]),
        saysFinal: random.next() < 0.5,
        outputs: tensors,
      };
      const frame = inferResponseFrame(response, isInStream);
      expect([frame[0], frame.readUInt32BE(1)]).toEqual([0, frame.length - 5]);
      const decoded = decode(frame.subarray(5));
      const reply = (isInStream ? decoded["infer_response"] : decoded) as Record<string, unknown>;
      expect(reply["model_name"] ?? "", `seed ${seed}`).toBe(response.modelName);
      expect(reply["model_version"]).toBe("12");
      expect(reply["id"] ?? "").toBe(response.id);
      expect(Object.keys((reply["parameters"] ?? {}) as object)).toEqual(
        response.saysFinal ? ["triton_final_response"] : [],
      );
      const named = reply["outputs"] as { name?: string; datatype: string; shape?: string[] }[];
      expect(named.map(({ name = "", datatype, shape = [] }) => [name, datatype, shape])).toEqual(
        tensors.map(({ name, datatype, shape }) => [name, datatype, shape.map(String)]),
      );
      const raw = reply["raw_output_contents"] as Buffer[];
      expect(raw).toHaveLength(tensors.length);
      const floats = tensors[0]?.data as Float32Array;
      expect(Buffer.from(floats.buffer).equals(raw[0] as Buffer)).toBe(true);
      // Exactly as long as what protobufjs makes of it: nothing twice, nothing padded.
      expect(encode(decoded).length).toBeLessThanOrEqual(frame.length - 5);
    }
  },
);
