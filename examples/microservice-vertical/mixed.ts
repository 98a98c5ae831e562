import { defineStep, InvalidInput } from "millrace";

const LABELS = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/** All pages of a request are read by the same model, so they have to be of one kind. */
export default defineStep({
  inputs: { image: { datatype: "FP32", shape: [-1, 1, 8, 8] } },
  outputs: { probabilities: { datatype: "FP32", shape: [-1, LABELS.length] } },
  labels: LABELS,
  run() {
    throw new InvalidInput("some pages are handwritten and some printed, send one kind at a time", {
      input: "image_data",
    });
  },
});
