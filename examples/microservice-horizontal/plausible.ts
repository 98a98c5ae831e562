import { setTimeout as wait } from "node:timers/promises";
import { defineStep } from "millrace";

/** Longer than any petal: such a row takes this step a second, as a service does that has a bad day. */
const CM_MAX = 100;

/** Can a flower be like this? 1 for yes, 0 for no. */
export default defineStep({
  inputs: { float_input: { datatype: "FP32", shape: [-1, 4] } },
  outputs: { plausible: { datatype: "FP32", shape: [-1] } },
  async run({ float_input: { data } }, { requestId, signal, rowCount }) {
    console.log(`request ${requestId}`);
    if (data.some((cm) => cm < 0)) throw new Error("the table of flowers is broken");
    if (data.some((cm) => cm > CM_MAX)) await wait(1000, undefined, { signal });
    const isPlausible = (row: number) => data.subarray(4 * row, 4 * row + 4).every((cm) => cm < 10);
    return { plausible: Array.from({ length: rowCount }, (_, row) => Number(isPlausible(row))) };
  },
});
