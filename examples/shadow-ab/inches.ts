import { defineStep } from "millrace";

const CM_OF_INCH = 2.54;

/** A mistake of the kind that no unit test finds: the model was trained on centimetres. */
export default defineStep({
  inputs: { float_input: { datatype: "FP32", shape: [-1, 4] } },
  outputs: { float_input: { datatype: "FP32", shape: [-1, 4] } },
  run: ({ float_input: { shape, data } }) => ({
    float_input: { shape, data: data.map((cm) => cm / CM_OF_INCH) },
  }),
});
