import { setTimeout as wait } from "node:timers/promises";
import { defineStep } from "millrace";

/** Longer than any part of an iris. */
const CM_MAX = 10;

/** Stands for a bad day: this step needs a second for a row with a longer one. */
const SLOW_CM = 100;

/** Could there be such a flower? 1 or 0 for each row. */
export default defineStep({
  inputs: { float_input: { datatype: "FP32", shape: [-1, 4] } },
  outputs: { plausible: { datatype: "FP32", shape: [-1] } },
  async run({ float_input: { data } }, { requestId, rowCount, signal }) {
    console.log("checks", requestId);
    if (data.some((cm) => cm < 0)) throw new Error("a flower cannot be shorter than nothing");
    if (data.some((cm) => cm > SLOW_CM)) await wait(1000, undefined, { signal });
    const isPlausible = (row: number) =>
      data.subarray(4 * row, 4 * row + 4).every((cm) => cm < CM_MAX);
    return { plausible: Array.from({ length: rowCount }, (_, row) => Number(isPlausible(row))) };
  },
});
