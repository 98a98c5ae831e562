import { access, readdir, writeFile } from "node:fs/promises";
import { basename, isAbsolute, join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { isName } from "../config/schema-values.ts";
import { UsageError, type Command, type CommandIo } from "./command.ts";

const FILE = "millrace.yaml";

interface Answers {
  readonly model: string;
  readonly name: string;
  readonly labels: readonly string[];
}

export const init: Command = {
  summary: "write a millrace.yaml that runs, after at most three questions",
  usage: "init [model.onnx] [--name NAME] [--labels a,b,c] [--yes]",
  options: {
    "name=NAME": "name of the service; default: the model's file name",
    "labels=a,b": "labels of a classifier",
    yes: "asks nothing and takes the defaults",
  },
  examples: ["init", "init models/iris.onnx --yes"],
  async run({ positionals, options, configFlags }, io) {
    if (configFlags[0] !== undefined) throw new UsageError(`unknown option ${configFlags[0]}`);
    const path = join(io.cwd, FILE);
    if (await exists(path)) {
      io.stderr.write(`Cannot write ${FILE}: it is there already\n`);
      return 2;
    }
    const found = positionals[0] ?? (await findModel(io.cwd));
    const given = {
      model: positionals[0],
      name: options.get("name"),
      labels: options.get("labels"),
    };
    const isAsking = !options.has("yes") && process.stdin.isTTY === true;
    const answers = isAsking ? await ask(given, found) : withDefaults(given, found);
    if (answers === undefined) {
      io.stderr.write(
        "Cannot write a file: no .onnx file here, name one: millrace init model.onnx\n",
      );
      return 2;
    }
    if (!(await exists(resolve(io.cwd, answers.model)))) {
      io.stderr.write(`Cannot write a file: there is no model ${JSON.stringify(answers.model)}\n`);
      return 2;
    }
    if (!isName(answers.name)) {
      throw new UsageError(
        `--name: expected letters, digits and ._- (not "stats"), found ${JSON.stringify(answers.name)}`,
      );
    }
    await writeFile(path, fileText(answers), { flag: "wx" });
    report(io, answers);
    return 0;
  },
};

interface Given {
  readonly model: string | undefined;
  readonly name: string | undefined;
  readonly labels: string | undefined;
}

function withDefaults(given: Given, found: string | undefined): Answers | undefined {
  const model = given.model ?? found;
  if (model === undefined) return undefined;
  return {
    model,
    name: given.name ?? nameOf(model),
    labels: splitLabels(given.labels ?? ""),
  };
}

async function ask(given: Given, found: string | undefined): Promise<Answers | undefined> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const question = async (text: string, fallback: string): Promise<string> => {
    const answer = (
      await terminal.question(fallback === "" ? `${text}: ` : `${text} [${fallback}]: `)
    ).trim();
    return answer === "" ? fallback : answer;
  };
  try {
    const model = given.model ?? (await question("Model file (.onnx)", found ?? ""));
    if (model === "") return undefined;
    const name = given.name ?? (await question("Name of the service", nameOf(model)));
    const labels =
      given.labels ?? (await question("Labels of the classes, with commas (empty: none)", ""));
    return { model, name, labels: splitLabels(labels) };
  } finally {
    terminal.close();
  }
}

function splitLabels(text: string): string[] {
  return text
    .split(",")
    .map((label) => label.trim())
    .filter((label) => label !== "");
}

function nameOf(model: string): string {
  const name = basename(model, ".onnx").replaceAll(/[^A-Za-z0-9._-]/g, "-");
  return isName(name) ? name : `model-${name}`.slice(0, 128);
}

/** The only model in the folder, or in its `models` folder. */
async function findModel(cwd: string): Promise<string | undefined> {
  for (const folder of [".", "models"]) {
    const names = await readdir(join(cwd, folder)).catch(() => []);
    const model = names.find((name) => name.endsWith(".onnx"));
    if (model !== undefined) return folder === "." ? model : `${folder}/${model}`;
  }
  return undefined;
}

/** JSON strings are YAML strings too, so nothing needs another kind of quoting. */
function fileText({ model, name, labels }: Answers): string {
  const labelLine =
    labels.length === 0
      ? ""
      : `    labels: [${labels.map((label) => JSON.stringify(label)).join(", ")}]\n`;
  const source = isAbsolute(model) || model.startsWith(".") ? model : `./${model}`;
  return (
    `name: ${JSON.stringify(name)}\n\nmodels:\n  ${JSON.stringify(name)}:\n    source: ${JSON.stringify(source)}\n${labelLine}` +
    "    # sample: [[5.1, 3.5, 1.4, 0.2]]   # one row: warms the model up, is the example in /docs\n"
  );
}

function report(io: CommandIo, { name }: Answers): void {
  io.stdout.write(`Wrote ${FILE} with the service ${name}. Start it: millrace up\n`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
