import { defineStep } from "millrace";

/** Answers after a fifth of a second. */
export default defineStep({
  inputs: { float_input: { datatype: "FP32", shape: [-1, 4] } },
  outputs: { probabilities: { datatype: "FP32", shape: [-1, 3] } },
  async run({ float_input }) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    return { probabilities: { shape: [float_input.shape[0] ?? 1, 3], data: new Float32Array(3) } };
  },
});
