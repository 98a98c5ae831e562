import { argv, cwd, env, stderr, stdout } from "node:process";
import { withoutControls } from "../core/without-controls.ts";
import { MILLRACE_VERSION } from "../version.ts";
import {
  parseCommandLine,
  UsageError,
  type Command,
  type CommandIo,
  type ExitCode,
} from "./command.ts";

/** Every command, loaded only when it is called. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  up: async () => (await import("./up.ts")).up,
  serve: async () => (await import("./serve.ts")).serve,
  predict: async () => (await import("./predict.ts")).predict,
  set: async () => (await import("./set.ts")).set,
  get: async () => (await import("./get.ts")).get,
  unset: async () => (await import("./unset.ts")).unset,
  query: async () => (await import("./query.ts")).query,
  evaluate: async () => (await import("./evaluate.ts")).evaluate,
  explain: async () => (await import("./explain.ts")).explain,
  "log status": async () => (await import("./log-status.ts")).logStatus,
  "log forget": async () => (await import("./log-forget.ts")).logForget,
  replay: async () => (await import("./replay.ts")).replay,
  load: async () => (await import("./load.ts")).load,
  "load compare": async () => (await import("./load-compare.ts")).loadCompare,
  "load report": async () => (await import("./load-report.ts")).loadReport,
  "load encode": async () => (await import("./load-encode.ts")).loadEncode,
  "experiment list": async () => (await import("./experiment.ts")).experimentList,
  "experiment status": async () => (await import("./experiment.ts")).experimentStatus,
  "experiment start": async () => (await import("./experiment.ts")).experimentStart,
  "experiment pause": async () => (await import("./experiment.ts")).experimentPause,
  "experiment resume": async () => (await import("./experiment.ts")).experimentResume,
  "experiment approve": async () => (await import("./experiment.ts")).experimentApprove,
  "experiment abort": async () => (await import("./experiment.ts")).experimentAbort,
  "experiment retry": async () => (await import("./experiment.ts")).experimentRetry,
  "shadow list": async () => (await import("./shadow.ts")).shadowList,
  "shadow status": async () => (await import("./shadow.ts")).shadowStatus,
  "shadow exclude": async () => (await import("./shadow.ts")).shadowExclude,
  "shadow include": async () => (await import("./shadow.ts")).shadowInclude,
  check: async () => (await import("./check.ts")).check,
  "config print": async () => (await import("./config-print.ts")).configPrint,
  "config schema": async () => (await import("./config-schema.ts")).configSchema,
  inspect: async () => (await import("./inspect.ts")).inspect,
  init: async () => (await import("./init.ts")).init,
};

/** Runs one command line. @returns the exit code. */
export async function runCli(words: readonly string[], io: CommandIo): Promise<ExitCode> {
  const [first = "--help", second] = words;
  if (first === "--version" || first === "version") {
    io.stdout.write(`${MILLRACE_VERSION}\n`);
    return 0;
  }
  if (first === "--help" || first === "-h" || first === "help") {
    io.stdout.write(await overview());
    return 0;
  }
  const name =
    COMMANDS[`${first} ${second ?? ""}`] === undefined ? first : `${first} ${second ?? ""}`;
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) {
    const { didYouMean } = await import("../config/did-you-mean.ts");
    const names = Object.keys(COMMANDS);
    const nearest = didYouMean(name, names) ?? didYouMean(words.slice(0, 2).join(" "), names);
    const hint = nearest === undefined ? "" : ` Did you mean "${nearest}"?`;
    io.stderr.write(
      `Unknown command "${name}"; there are ${Object.keys(COMMANDS).join(", ")}.${hint}\n`,
    );
    return 2;
  }
  return runCommand(await load(), words.slice(name.split(" ").length), io);
}

async function runCommand(
  command: Command,
  words: readonly string[],
  io: CommandIo,
): Promise<ExitCode> {
  if (words.includes("--help") || words.includes("-h")) {
    io.stdout.write(help(command));
    return 0;
  }
  try {
    return await command.run(parseCommandLine(words, command), io);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.stderr.write(`${printable(error.message)}\nUsage: millrace ${command.usage}\n`);
    return 2;
  }
}

/** Messages may have what a file or a server says. */
function printable(message: string): string {
  return message.split("\n").map(withoutControls).join("\n");
}

async function overview(): Promise<string> {
  const rows = await Promise.all(
    Object.entries(COMMANDS).map(async ([name, load]) => {
      const { summary } = await load();
      return `  ${name.padEnd(18)} ${summary}`;
    }),
  );
  return (
    `millrace ${MILLRACE_VERSION}: runs machine-learning models in production\n\n` +
    `Usage: millrace <command> [arguments] [--key value]\n\n${rows.join("\n")}\n\n` +
    "Any key of the file is also a flag: --server.http-port 9000; --port, --host and --config are short.\n" +
    "millrace <command> --help shows an example.\n"
  );
}

function help(command: Command): string {
  const options = { ...command.options, help: "shows this" };
  const rows = Object.entries(options).map(([name, text]) => `  --${name.padEnd(18)} ${text}`);
  const examples = command.examples.map((example) => `  millrace ${example}`);
  return (
    `${command.summary}\n\nUsage: millrace ${command.usage}\n\n${rows.join("\n")}\n\n` +
    `Examples:\n${examples.join("\n")}\n`
  );
}

if (import.meta.main) {
  // A pipe that closes early (| head) is the reader's choice, not an error.
  stdout.on("error", () => process.exit(0));
  // The launcher was killed: end as if we had been asked to.
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
  process.channel?.unref();
  process.exitCode = await runCli(argv.slice(2), { stdout, stderr, env, cwd: cwd() });
}
