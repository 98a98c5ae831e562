import { expect, test } from "vitest";
import type { Datatype, TensorData } from "../../core/tensor/datatype.ts";
import type { TensorSpec } from "../../core/tensor/tensor.ts";
import { CallProblem } from "./call-problem.ts";
import { packOutputs } from "./pack-outputs.ts";

const Y: TensorSpec = { name: "y", datatype: "FP32", shape: [-1, 2] };

function stateOf(returned: unknown, spec: TensorSpec = Y): string {
  try {
    packOutputs(returned, [spec]);
  } catch (error) {
    if (error instanceof CallProblem && error.failure.kind === "output") return error.failure.state;
    throw error;
  }
  return "no error";
}

test("packOutputs() packs nested arrays as they are declared", () => {
  expect(
    packOutputs(
      {
        y: [
          [1, 2],
          [3, NaN],
        ],
      },
      [Y],
    ),
  ).toEqual([{ ...Y, shape: [2, 2], data: Float32Array.of(1, 2, 3, NaN) }]);
});

test("packOutputs() takes typed arrays without a copy, in the order of the declaration", () => {
  const data = Float32Array.of(1, 2);
  const z = { shape: [0], data: [] };
  const specs: TensorSpec[] = [Y, { name: "z", datatype: "BYTES", shape: [-1] }];
  const [first, second] = packOutputs({ z, y: { shape: [1, 2], data } }, specs);
  expect(first?.data).toBe(data);
  expect(second).toEqual({ ...specs[1], shape: [0], data: [] });
});

test.each<[Datatype, unknown[], TensorData]>([
  ["BOOL", [true, false], Uint8Array.of(1, 0)],
  ["INT64", [1n, 2], BigInt64Array.of(1n, 2n)],
  ["UINT8", [0, 255], Uint8Array.of(0, 255)],
  ["BYTES", ["a", "é"], ["a", "é"]],
])("packOutputs() packs elements of %s", (datatype, values, data) => {
  const spec: TensorSpec = { name: "y", datatype, shape: [-1] };
  expect(packOutputs({ y: values }, [spec])[0]?.data).toEqual(data);
  expect(packOutputs({ y: { shape: [2], data: values } }, [spec])[0]?.data).toEqual(data);
});

test.each<[unknown, string]>([
  [{ y: [[1, 2, 3]] }, 'gave output "y" with shape [1, 3], expected FP32 [-1, 2]'],
  [{ y: [[1, 2], [3]] }, 'gave output "y" with rows of different lengths, expected FP32 [-1, 2]'],
  [{ y: [[1, "2"]] }, 'gave output "y" that is wrong at [0, 1]: found "2", expected FP32'],
  [{ y: [[1, undefined]] }, "that is wrong at [0, 1]: found nothing, expected FP32"],
  [
    { y: [Object.assign(new Array<number>(2), { 0: 1 })] },
    "that is wrong at [0, 1]: found nothing, expected FP32",
  ],
  [{ y: 5 }, 'gave output "y" as a number, expected { shape, data } or nested arrays'],
  [{ y: new Float32Array(2) }, 'gave output "y" as Float32Array, expected { shape, data }'],
  [{ y: null }, 'gave no output "y", expected FP32 [-1, 2]'],
  [{ y: { shape: [1, 2], data: new Float64Array(2) } }, "data in Float64Array, expected that of"],
  [{ y: { shape: [1, 2], data: new Float32Array(3) } }, "3 elements, expected 2 for shape [1, 2]"],
  [{ y: { shape: [-1, 2], data: new Float32Array(2) } }, 'output "y" with no shape'],
  [{ y: { shape: "2", data: new Float32Array(2) } }, 'output "y" with no shape'],
  [{ y: { shape: [1e9, 1e9], data: new Float32Array(2) } }, 'output "y" with no shape'],
  [[[1, 2]], 'gave no object, expected an object with "y"'],
  [null, 'gave nothing, expected an object with "y"'],
])("packOutputs() refuses %j", (returned, expected) => {
  expect(stateOf(returned)).toContain(expected);
});
