import { execFile, spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { isDeepStrictEqual, promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyExample, MillraceProcess, ROOT } from "../test/e2e/millrace-process.ts";

/** Longest time of a block, which may wait for something to come: on a busy machine that takes its time. */
const WAIT_MS_MAX = 120_000;

/** One command of a README, with what the README says comes of it. */
interface Step {
  readonly command: string;
  /** A ```json or ```text block: what the command prints. */
  output?: { readonly isJson: boolean; readonly text: string };
  /** A ```log block: lines the server logs, each with the fields that matter. */
  readonly logLines: Readonly<Record<string, unknown>>[];
}

/**
 * Runs an example's README against the real process: one test per ```sh block, in order. A block that begins
 * with `npx millrace up` starts the process of the blocks after it, on free ports instead of 8000 to 8002 and 8080; any
 * other goes through `sh` in a folder that looks like the repository, and has to print the block that follows. One that
 * ends with `&` runs until the test ends; the block that follows is its first line.
 * @param env variables for all of it.
 */
export function describeReadme(name: string, env: NodeJS.ProcessEnv = {}): void {
  describe(`examples/${name}/README.md`, () => {
    let root: string;
    let remove: () => Promise<void>;
    let running: MillraceProcess | undefined;
    const background: ChildProcess[] = [];

    beforeAll(async () => {
      const example = await copyExample(name);
      remove = example.remove;
      root = dirname(example.path);
      await symlink(".", join(root, "examples"));
      for (const part of ["node_modules", "docs"])
        await symlink(join(ROOT, part), join(root, part));
    });
    afterAll(async () => {
      await running?.stop();
      for (const child of background) endGroup(child);
      await remove();
    });

    for (const step of readSteps(join(ROOT, "examples", name, "README.md"))) {
      const isWaiting = step.command.includes("until ");
      const limits = isWaiting ? { timeout: WAIT_MS_MAX } : {};
      it(`${titleOf(step)} does what the README says when run`, limits, async () => {
        if (step.command.startsWith("npx millrace up ")) {
          await running?.stop();
          const words = step.command.split(" ").slice(2);
          running = await MillraceProcess.start(words, { cwd: root, env });
          expectModels(step, running);
        } else {
          const command = withPorts(step.command, running);
          const printed = command.endsWith("&")
            ? await startInShell(command, shellOptions(root, env), background)
            : await runInShell(command, shellOptions(root, env));
          if (step.output !== undefined) expectSame(printed, step.output);
        }
        for (const line of step.logLines) {
          if (running === undefined) throw new Error("Nothing runs yet that could log");
          await everyProcessLogs(running, line);
        }
      });
    }
  });
}

/** The first words of its first line, enough to find it. */
function titleOf({ command }: Step): string {
  const [line = ""] = command.split("\n");
  return line.length <= 70 ? line : `${line.slice(0, 69)}…`;
}

function readSteps(path: string): Step[] {
  const steps: Step[] = [];
  for (const match of readFileSync(path, "utf8").matchAll(/^```(\w+)\n(.*?)\n```$/gms)) {
    const [, language, text = ""] = match;
    if (language === "sh") steps.push({ command: text, logLines: [] });
    const step = steps.at(-1);
    if (step === undefined) continue;
    if (language === "json" || language === "text") {
      step.output = { isJson: language === "json", text };
    }
    if (language === "log") {
      const lines = text.split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
      step.logLines.push(...lines);
    }
  }
  return steps;
}

/** The start's text is for people; the test starts with --json and compares the models in it. */
function expectModels({ output }: Step, { facts }: MillraceProcess): void {
  if (output === undefined) return;
  const shown = [...output.text.matchAll(/^ {2}model {4}(\S+@\d+(?:, \S+@\d+)*) /gm)];
  const started = facts.models.map(({ name, versions }) =>
    versions.map((version) => `${name}@${version}`).join(", "),
  );
  expect(started).toEqual(shown.map((match) => match[1]));
}

interface ShellOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

function shellOptions(cwd: string, env: NodeJS.ProcessEnv): ShellOptions {
  const path = [dirname(process.execPath), join(ROOT, "node_modules/.bin"), process.env["PATH"]];
  return { cwd, env: { ...process.env, ...env, PATH: path.join(delimiter) } };
}

/** @returns what each line of the block printed, a line each: `curl` ends its output without one. */
async function runInShell(block: string, options: ShellOptions): Promise<string> {
  const outputs: string[] = [];
  for (const command of block.split(/(?<!\\)\n/)) {
    const { stdout } = await promisify(execFile)("sh", ["-c", command], {
      ...options,
      timeout: WAIT_MS_MAX, // a loop that waits in vain must not outlive the test
    });
    if (stdout !== "") outputs.push(stdout.replaceAll("\r", "").trimEnd());
  }
  return outputs.join("\n").replaceAll(options.cwd, "/millrace");
}

/** Starts what a block leaves running. @returns the first line it prints. */
async function startInShell(
  block: string,
  options: ShellOptions,
  background: ChildProcess[],
): Promise<string> {
  const command = `exec ${block.replace(/\s*&$/, "")}`;
  const stdio = ["ignore", "pipe", "inherit"] as const;
  const child = spawn("sh", ["-c", command], { ...options, stdio: [...stdio], detached: true });
  background.push(child);
  const lines = createInterface({ input: child.stdout });
  const line = new Promise<string>((resolve, reject) => {
    lines.once("line", resolve);
    lines.once("close", () => reject(new Error(`"${command}" ended without a line`)));
  });
  return line;
}

/** Ends what a block started, and what that has started: npx does not pass signals on. */
function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGTERM");
  } catch {
    return; // it has ended
  }
}

function withPorts(command: string, running: MillraceProcess | undefined): string {
  if (running === undefined) return command;
  return command
    .replaceAll("localhost:8000", new URL(running.url).host)
    .replaceAll("localhost:8001", running.facts.grpc ?? "")
    .replaceAll("localhost:8002", new URL(running.facts.metrics ?? "").host)
    .replaceAll("localhost:8080", new URL(running.facts.control ?? "").host);
}

/** Equal but for indentation, ids, dates, durations, who changed something and the last digits of numbers. */
function expectSame(printed: string, expected: { isJson: boolean; text: string }): void {
  const normal = (text: string): string =>
    withoutFacts(expected.isJson ? JSON.stringify(JSON.parse(text), sortMembers, 2) : text);
  const wanted = normal(expected.text);
  const wantedNumbers = [...wanted.matchAll(NUMBER)].map(([number]) => number);
  let index = 0;
  const found = normal(printed).replace(NUMBER, (number) => {
    const other = wantedNumbers[index++] ?? "";
    return Math.abs(Number(number) - Number(other)) < 1e-5 ? other : number;
  });
  expect(found).toBe(wanted);
}

function sortMembers(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const NUMBER = /\d+(?:\.\d+)?(?:e[-+]?\d+)?/g;

function withoutFacts(text: string): string {
  return text
    .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<id>")
    .replace(/\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT|\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<date>")
    .replace(/(?<=dur=|Ms=)[\d.]+|[\d.]+(?= ms\b)/g, "<duration>")
    .replace(/(?<=, by )[\w.-]+/g, "<user>")
    .replace(/^ +/gm, ""); // uniq -c pads its counts
}

/** Waits until each serve process has logged a line with these fields: the next request meets none that has not. */
export async function everyProcessLogs(
  millrace: MillraceProcess,
  fields: Readonly<Record<string, unknown>>,
): Promise<void> {
  for (let index = 0; index < millrace.facts.processes; index++) {
    const wanted = Object.entries({ ...fields, process: index });
    await millrace.logLine((line) =>
      wanted.every(([key, value]) => isDeepStrictEqual(line[key], value)),
    );
  }
}
