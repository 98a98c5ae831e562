import { MillraceClient } from "millrace-client";

const url = process.argv[2] ?? "http://localhost:8000";
const client = new MillraceClient({ url, timeoutMs: 5000 });

/** 10,000 flowers in one array, a row after the other: 160,000 bytes. */
const data = new Float32Array(40_000).map((_, i) => [5.1, 3.5, 1.4, 0.2][i % 4] as number);

const { outputs } = await client.infer("iris", {
  inputs: [{ name: "float_input", shape: [10_000, 4], data }],
  outputs: ["probabilities"],
});
const [output] = outputs;
if (output?.datatype !== "FP32") throw new Error("The model has changed");
console.log(output.shape, output.data.slice(0, 3));
