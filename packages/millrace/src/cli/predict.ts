import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { MillraceClient, MillraceClientError, type PredictInput } from "millrace-client";
import { parseDuration } from "../config/duration.ts";
import { UsageError, type Command, type CommandIo, type CommandLine } from "./command.ts";
import { imageTypeOf } from "./image-type.ts";
import { readRunState } from "./run-state.ts";

export const predict: Command = {
  summary: "predict with a running Millrace",
  usage: "predict [service] --data ROWS | --file FILE [--label] [--url URL]",
  options: {
    "data=ROWS": 'rows as JSON, or {"inputs": {name: rows}}, or {name: rows}',
    "file=FILE": "file that holds them, or a picture: .jpg, .png or .webp",
    label: "replies with the label instead of the numbers",
    "timeout=2s": "longest time to wait, with its unit; default 5s",
    "url=URL":
      "server to ask; default: the one that runs in this folder, else http://127.0.0.1:8000",
    "key=KEY": "secret of an API key; default: $MILLRACE_KEY",
    json: "prints all facts about the prediction, not only the prediction",
  },
  examples: [
    "predict iris --data '[[5.1,3.5,1.4,0.2]]'",
    "predict --file rows.json --label --url http://10.0.0.7:8000",
    "predict classify --file cat.jpg --label",
  ],
  async run(line, io) {
    const { options, positionals, configFlags } = line;
    if (configFlags[0] !== undefined) throw new UsageError(`unknown option ${configFlags[0]}`);
    if (positionals.length > 1)
      throw new UsageError(`expected one service, found ${positionals.join(", ")}`);
    const rows = await readInput(line, io);
    const timeoutMs = parseDuration(options.get("timeout") ?? "5s");
    if (timeoutMs === undefined) {
      throw new UsageError(
        `--timeout: expected a duration with its unit, found ${JSON.stringify(options.get("timeout"))}`,
      );
    }
    const key = options.get("key") ?? io.env["MILLRACE_KEY"];
    const url = options.get("url") ?? (await findRunning(io));
    if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
      throw new UsageError(`--url: expected http://host:port, found ${JSON.stringify(url)}`);
    }
    const client = new MillraceClient({ url, timeoutMs, ...(key === undefined ? {} : { key }) });
    try {
      const result = await client.predict(positionals[0], rows, { label: options.has("label") });
      const shown = options.has("json") ? result : { prediction: result.prediction };
      io.stdout.write(`${JSON.stringify(shown, bigintAsText)}\n`);
      return 0;
    } catch (error) {
      if (!(error instanceof MillraceClientError)) throw error;
      io.stderr.write(`${error.message}\n`);
      return 1;
    }
  },
};

async function readInput({ options }: CommandLine, io: CommandIo): Promise<PredictInput> {
  const data = options.get("data");
  const file = options.get("file");
  if ((data === undefined) === (file === undefined)) {
    throw new UsageError("expected either --data or --file");
  }
  if (file === undefined) return parseRows(data ?? "");
  const bytes = await readFile(resolve(io.cwd, file)).catch(() => undefined);
  if (bytes === undefined) {
    throw new UsageError(`--file: there is no file ${JSON.stringify(file)}`);
  }
  const type = imageTypeOf(file);
  return type === undefined ? parseRows(bytes.toString()) : new Blob([bytes], { type });
}

/** @returns rows, or the members of an object as they are. */
function parseRows(text: string): PredictInput {
  try {
    const value = JSON.parse(text) as Exclude<PredictInput, Blob>;
    return "data" in value ? (value["data"] as PredictInput) : value;
  } catch {
    throw new UsageError(`expected rows as JSON, found ${JSON.stringify(text.slice(0, 40))}`);
  }
}

async function findRunning(io: CommandIo): Promise<string> {
  const running = await readRunState(join(io.cwd, ".millrace"));
  return running?.url ?? "http://127.0.0.1:8000";
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}
