import { readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { defineLoad } from "millrace";

/** What a far database takes; the file beside this one stands for it. */
const READ_MS = 300;

/** The measurements of flowers, by their ids. */
export default defineLoad({
  key: "id",
  outputs: { float_input: { datatype: "FP32", shape: [-1, 4] } },
  async load(ids, { signal }) {
    console.log(`reads ${ids.join(", ")}`);
    await wait(READ_MS, undefined, { signal });
    const text = await readFile(new URL("flowers.csv", import.meta.url), "utf8");
    const [, ...lines] = text.trimEnd().split("\n");
    return new Map(
      lines.map((line) => {
        const [id = "", ...cm] = line.split(",");
        return [id, { float_input: cm.map(Number) }];
      }),
    );
  },
});
