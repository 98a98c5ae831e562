import { MillraceError } from "../errors.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Refuses inputs that are on their way to somebody who takes them as JSON alone.
 * @throws INVALID_TENSOR when a number is NaN or infinite: JSON would say `null`, and mean something else.
 */
export function refuseNotFinite(inputs: readonly Tensor[]): void {
  for (const { name, datatype, data } of inputs) {
    if (datatype !== "FP32" && datatype !== "FP64") continue;
    const numbers = data as Float32Array | Float64Array;
    for (let i = 0; i < numbers.length; i++) {
      const value = numbers[i] as number;
      if (Number.isFinite(value)) continue;
      const message = `found ${value}, which cannot be sent to this model: JSON has no such number`;
      throw new MillraceError("INVALID_TENSOR", `Cannot predict: input "${name}": ${message}`, {
        problems: [{ location: ["inputs", name, i], message, type: "range" }],
      });
    }
  }
}
