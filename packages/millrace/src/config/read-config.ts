import { messageOf } from "../core/message-of.ts";
import { readFile, stat } from "node:fs/promises";
import { basename, extname, isAbsolute, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isPlainObject } from "./config-tree.ts";
import type { PlainObject, Position, Written } from "./config-tree.ts";
import { createProblem } from "./problem.ts";
import type { ConfigProblem } from "./problem.ts";
import { readYaml } from "./read-yaml.ts";

/** Names of the file in the order they are looked for. */
const CONFIG_FILE_NAMES = ["millrace.yaml", "millrace.yml", "millrace.config.ts"] as const;

const FILE_BYTES_MAX = 1024 * 1024;

/** A file that was read, before `${NAME}` in it is replaced. */
export interface ConfigSource {
  /** Absolute; undefined when there is no file. */
  readonly path: string | undefined;
  /** Folder that relative paths start from. */
  readonly folder: string;
  /** The file as problems name it. */
  readonly shown: string | undefined;
  readonly values: PlainObject;
  readonly positionOf: Written["positionOf"];
}

export type ConfigSourceResult =
  | { readonly kind: "ok"; readonly source: ConfigSource }
  | { readonly kind: "invalid"; readonly problems: readonly ConfigProblem[] };

/** A configuration that is not in a file. */
export function sourceWithoutFile(values: PlainObject, folder: string): ConfigSource {
  return { path: undefined, folder, shown: undefined, values, positionOf: () => undefined };
}

/** Reads the file at `path`, or one of the usual names when `path` is a folder. */
export async function readConfig(path: string, cwd: string): Promise<ConfigSourceResult> {
  const found = await findFile(resolve(cwd, path), cwd);
  if (found.kind === "invalid") return found;
  const shown = shownPath(found.path, cwd);
  const extension = extname(found.path);
  if (extension === ".ts") return await readModule(found.path, shown);
  if (extension === ".yaml" || extension === ".yml") return await readYamlFile(found.path, shown);
  return invalid(shown, `found a ${extension} file, expected .yaml, .yml or .ts`);
}

/** Relative to the working directory when it is inside. */
function shownPath(path: string, cwd: string): string {
  const text = relative(cwd, path);
  return text.startsWith("..") || isAbsolute(text) || text === "" ? path : text;
}

type FindResult =
  | { readonly kind: "found"; readonly path: string }
  | Extract<ConfigSourceResult, { kind: "invalid" }>;

async function findFile(path: string, cwd: string): Promise<FindResult> {
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined) return invalid(shownPath(path, cwd), "no such file");
  if (facts.isFile()) return { kind: "found", path };
  if (!facts.isDirectory()) return invalid(shownPath(path, cwd), "not a file");
  for (const name of CONFIG_FILE_NAMES) {
    const candidate = join(path, name);
    const candidateFacts = await stat(candidate).catch(() => undefined);
    if (candidateFacts?.isFile() === true) return { kind: "found", path: candidate };
  }
  return invalid(shownPath(path, cwd), `none of ${CONFIG_FILE_NAMES.join(", ")} is in this folder`);
}

async function readYamlFile(path: string, shown: string): Promise<ConfigSourceResult> {
  const { size } = await stat(path);
  if (size > FILE_BYTES_MAX) return invalid(shown, `found ${size} bytes, expected at most 1 MiB`);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return invalid(shown, "cannot be read");
  const yaml = await readYaml(text);
  if (yaml.kind === "invalid") {
    const problems = yaml.problems.map(({ message, position }) =>
      createProblem({ kind: "file", file: shown, position }, [], message),
    );
    return { kind: "invalid", problems };
  }
  // An empty file has the value null.
  const values = yaml.values ?? {};
  if (!isPlainObject(values)) return invalid(shown, notAnObject(values), { line: 1, column: 1 });
  return ok(path, shown, { values, positionOf: yaml.positionOf });
}

async function readModule(path: string, shown: string): Promise<ConfigSourceResult> {
  let module: { readonly default?: unknown };
  try {
    // Node.js keeps a module for good; the time makes a changed file another one.
    const { mtimeMs } = await stat(path);
    const address = `${pathToFileURL(path).href}?changed=${mtimeMs}`;
    module = (await import(address)) as { readonly default?: unknown };
  } catch (error) {
    const message = messageOf(error);
    return invalid(shown, `cannot be run: ${message.split("\n")[0] ?? ""}`);
  }
  if (!isPlainObject(module.default)) {
    return invalid(shown, `the default export: ${notAnObject(module.default)}`);
  }
  return ok(path, shown, { values: module.default, positionOf: () => undefined });
}

function ok(
  path: string,
  shown: string,
  read: Pick<ConfigSource, "values" | "positionOf">,
): ConfigSourceResult {
  const folder = resolve(path, "..");
  return { kind: "ok", source: { path, folder, shown, ...read } };
}

function invalid(shown: string, message: string, position?: Position) {
  const problem = createProblem({ kind: "file", file: shown, position }, [], message);
  return { kind: "invalid" as const, problems: [problem] };
}

function notAnObject(value: unknown): string {
  const found =
    value === undefined ? "nothing" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
  return `found ${found}, expected an object with keys such as models and server`;
}

/** A path's last part as a valid name: `iris svc.onnx` → `iris-svc`. */
export function nameFromPath(path: string, fallback: string): string {
  const stem = basename(path).replace(/\.onnx$/i, "");
  const name = stem
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 128);
  if (name === "stats") return `stats-${fallback}`;
  return name === "" ? fallback : name;
}
