import { defineStep } from "millrace";

/** Never answers. */
export default defineStep({
  inputs: { float_input: { datatype: "FP32", shape: [-1, 4] } },
  outputs: { probabilities: { datatype: "FP32", shape: [-1, 3] } },
  async run({ float_input }) {
    await new Promise(() => undefined);
    return { probabilities: { shape: [float_input.shape[0] ?? 1, 3], data: new Float32Array(3) } };
  },
});
