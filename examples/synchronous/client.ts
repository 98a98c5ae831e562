import { MillraceClient, MillraceClientError } from "millrace-client";

const url = process.argv[2] ?? "http://localhost:8000";
const client = new MillraceClient({ url, timeoutMs: 5000 });

const { prediction, model, version } = await client.predict("iris", [[5.1, 3.5, 1.4, 0.2]]);
console.log("predict", model, version, prediction);

const { outputs } = await client.infer("iris", {
  inputs: [{ name: "float_input", shape: [1, 4], data: Float32Array.of(5.1, 3.5, 1.4, 0.2) }],
  outputs: ["probabilities"],
});
console.log("infer", outputs[0]?.datatype, outputs[0]?.data);

try {
  await client.predict("iris-strict", Array<number[]>(50_000).fill([5.1, 3.5, 1.4, 0.2]));
} catch (error) {
  if (!(error instanceof MillraceClientError)) throw error;
  console.log("iris-strict", error.status, error.code);
}
