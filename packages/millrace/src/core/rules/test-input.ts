import type { Datatype } from "../tensor/datatype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { outcomeOf, parseNumber, testValue } from "./value-test.ts";
import type { Outcome, Scalar, ValueTest } from "./value-test.ts";

/** More elements than this are not looked at: a condition is for labels and scores, not for images. */
export const INPUT_ELEMENTS_MAX = 65_536;

/** Their 16 bits are kept raw. */
const UNREADABLE: readonly Datatype[] = ["FP16", "BF16"];

/**
 * Makes the test on every element of a tensor, all rows of the request: true only when it is true for each, since all
 * rows go the same way. Texts are compared with BYTES, numbers with numbers in the precision of the tensor (0.1 equals
 * the FP32 0.1), `true` and `false` with BOOL. Missing when there is no such tensor or it is empty; invalid when it has
 * more than `INPUT_ELEMENTS_MAX` elements, or one that the test cannot be made on.
 */
export function testInput(test: ValueTest, tensor: Tensor | undefined): Outcome {
  if (test.kind === "exists") return outcomeOf((tensor !== undefined) === test.isThere);
  if (tensor === undefined || tensor.data.length === 0) return "missing";
  const { datatype, data } = tensor;
  if (data.length > INPUT_ELEMENTS_MAX || UNREADABLE.includes(datatype)) return "invalid";
  const own = testFor(test, datatype);
  for (const element of data) {
    const outcome = testValue(own, datatype === "BOOL" ? element === 1 : element);
    if (outcome !== "true") return outcome;
  }
  return "true";
}

/** The test with what it compares with as the elements of this type have it. */
function testFor(test: ValueTest, datatype: Datatype): ValueTest {
  switch (test.kind) {
    case "equals":
      return { kind: "equals", value: asElement(test.value, datatype) };
    case "oneOf":
      return { kind: "oneOf", values: test.values.map((value) => asElement(value, datatype)) };
    case "atLeast":
    case "atMost":
    case "above":
    case "below":
      return { kind: test.kind, bound: datatype === "FP32" ? Math.fround(test.bound) : test.bound };
    default:
      return test;
  }
}

/** A label such as 7 may be a text in the one model and a number in the other, and is written as either. */
function asElement(value: Scalar, datatype: Datatype): Scalar {
  if (datatype === "BYTES") return String(value);
  const number = typeof value === "string" ? (parseNumber(value) ?? value) : value;
  return datatype === "FP32" && typeof number === "number" ? Math.fround(number) : number;
}
