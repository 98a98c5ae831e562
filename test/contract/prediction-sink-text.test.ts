import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { TextSink } from "../../packages/millrace/src/adapters/sink-text/text-sink.ts";
import { describePredictionSinkContract } from "./prediction-sink-contract.ts";

describePredictionSinkContract({
  name: "Lines of text",
  create: ({ folder, isForgotten }) =>
    new TextSink({ path: pathIn(folder), sizeBytesMax: 2 ** 20, keep: 0, isForgotten }),
  read: async (folder) => {
    const text = await readFile(pathIn(folder), "utf8");
    const lines = text.split("\n").slice(0, -1);
    return lines.map((line) => /\[([0-9a-f]{8}-[^\]]+)\]/.exec(line)?.[1] ?? line);
  },
  readFeedback: undefined,
  readExposures: undefined,
  skip: [],
});

function pathIn(folder: string): string {
  return join(folder, "predictions.log");
}
