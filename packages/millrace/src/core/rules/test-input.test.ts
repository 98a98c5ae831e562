import { expect, it } from "vitest";
import type { Datatype, TensorData } from "../tensor/datatype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { evaluate } from "./evaluate.ts";
import { explainCondition } from "./explain-condition.ts";
import { attributesOf } from "./test-attributes.ts";
import { INPUT_ELEMENTS_MAX, testInput } from "./test-input.ts";
import { UnitCodes } from "./hash-unit.ts";
import { TimeZones } from "./time-zones.ts";
import type { Outcome, ValueTest } from "./value-test.ts";

function tensorOf(datatype: Datatype, data: TensorData): Tensor {
  return { name: "x", datatype, shape: [data.length], data };
}

it.each<readonly [ValueTest, Datatype, TensorData, Outcome]>([
  [{ kind: "equals", value: "cat" }, "BYTES", ["cat"], "true"],
  [{ kind: "equals", value: "cat" }, "BYTES", ["dog"], "false"],
  [{ kind: "equals", value: 7 }, "BYTES", ["7"], "true"],
  [{ kind: "equals", value: true }, "BYTES", ["true"], "true"],
  [{ kind: "oneOf", values: ["cat", 7] }, "BYTES", ["7", "cat"], "true"],
  [{ kind: "prefix", prefix: "ca" }, "BYTES", ["cat", "cap"], "true"],
  [{ kind: "matches", glob: "c*t" }, "BYTES", ["cat", "cap"], "false"],
  [{ kind: "prefix", prefix: "1" }, "INT64", new BigInt64Array([1n]), "invalid"],
  [{ kind: "equals", value: 2 }, "INT64", new BigInt64Array([2n, 2n]), "true"],
  [{ kind: "equals", value: "2" }, "INT64", new BigInt64Array([2n]), "true"],
  [{ kind: "equals", value: "two" }, "INT64", new BigInt64Array([2n]), "false"],
  [{ kind: "oneOf", values: [1, 2] }, "INT32", new Int32Array([2, 1, 3]), "false"],
  [{ kind: "equals", value: 0.1 }, "FP32", new Float32Array([0.1]), "true"],
  [{ kind: "atLeast", bound: 0.9 }, "FP32", new Float32Array([0.9, 1]), "true"],
  [{ kind: "above", bound: 0.9 }, "FP32", new Float32Array([0.9]), "false"],
  [{ kind: "atLeast", bound: 0.9 }, "FP64", new Float64Array([0.95, 0.1]), "false"],
  [{ kind: "below", bound: 3 }, "UINT64", new BigUint64Array([2n]), "true"],
  [{ kind: "atMost", bound: 1 }, "FP32", new Float32Array([Number.NaN]), "false"],
  [{ kind: "atLeast", bound: 5 }, "BYTES", ["6", "12.5"], "true"],
  [{ kind: "atLeast", bound: 5 }, "BYTES", ["6", "many"], "invalid"],
  [{ kind: "equals", value: true }, "BOOL", new Uint8Array([1, 1]), "true"],
  [{ kind: "equals", value: false }, "BOOL", new Uint8Array([0, 1]), "false"],
  [{ kind: "equals", value: 1 }, "FP16", new Uint16Array([1]), "invalid"],
  [{ kind: "equals", value: 1 }, "INT8", new Int8Array(0), "missing"],
  [{ kind: "exists", isThere: true }, "INT8", new Int8Array(1), "true"],
  [{ kind: "exists", isThere: false }, "INT8", new Int8Array(1), "false"],
  [{ kind: "equals", value: 0 }, "INT8", new Int8Array(INPUT_ELEMENTS_MAX), "true"],
  [{ kind: "equals", value: 0 }, "INT8", new Int8Array(INPUT_ELEMENTS_MAX + 1), "invalid"],
])("testInput() makes %j on %s", (test, datatype, data, outcome) => {
  expect(testInput(test, tensorOf(datatype, data))).toBe(outcome);
});

it("testInput() misses a tensor that is not there", () => {
  expect(testInput({ kind: "equals", value: 1 }, undefined)).toBe("missing");
  expect(testInput({ kind: "exists", isThere: false }, undefined)).toBe("true");
});

const MOMENT = { wallMs: 0, zones: new TimeZones(), units: new UnitCodes() };

it("evaluate() asks for inputs by name, and finds none in a request without them", () => {
  const condition = {
    kind: "input",
    name: "label",
    test: { kind: "equals", value: "cat" },
  } as const;
  const request = attributesOf({});
  expect(evaluate(condition, request, MOMENT)).toEqual({ isMatch: false, invalidCount: 0 });
  const label = tensorOf("BYTES", ["cat"]);
  const input = (name: string) => (name === "label" ? label : undefined);
  expect(evaluate(condition, { ...request, input }, MOMENT).isMatch).toBe(true);
  const bound = { ...condition, test: { kind: "atLeast", bound: 1 } } as const;
  expect(evaluate(bound, { ...request, input }, MOMENT)).toEqual({
    isMatch: false,
    invalidCount: 1,
  });
});

it.each<readonly [Tensor | undefined, string]>([
  [tensorOf("BYTES", ["cat", "dog"]), 'false: input label equals "cat", found "cat", "dog"'],
  [
    tensorOf("FP64", new Float64Array([0.5, 1, 2, 3, 4, 5])),
    'false: input label equals "cat", found 0.5, 1, 2, 3 and 2 more',
  ],
  [tensorOf("BOOL", new Uint8Array([1])), 'false: input label equals "cat", found true'],
  [undefined, 'false: input label equals "cat", found nothing'],
])("explainCondition() shows the elements of an input", (tensor, line) => {
  const condition = {
    kind: "input",
    name: "label",
    test: { kind: "equals", value: "cat" },
  } as const;
  const attributes = { ...attributesOf({}), input: () => tensor };
  expect(explainCondition(condition, attributes, MOMENT)).toBe(line);
});
