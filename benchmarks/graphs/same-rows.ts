import { defineStep } from "millrace";

const rows = { datatype: "FP32", shape: [-1, 4] } as const;

/** Gives what it gets: all that is measured is the way there and back. */
export default defineStep({
  inputs: { x: rows },
  outputs: { y: rows },
  run: ({ x }) => ({ y: x }),
});
