import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Config } from "./config.ts";
import { ConfigTree } from "./config-tree.ts";
import type { ConfigWarning } from "./config-warning.ts";
import type { Origin } from "./config-tree.ts";
import { interpolate } from "./interpolate.ts";
import { configJsonSchema } from "./json-schema.ts";
import type { SchemaNode } from "./json-schema.ts";
import { applyEnvironment, applyFlags, NO_ENV_FILE, readEnvFile } from "./overrides.ts";
import type { Environment, EnvFile, Flags } from "./overrides.ts";
import { applyOverrides } from "./live-overrides.ts";
import type { LiveOverride } from "./live-overrides.ts";
import { applyParameterVariables } from "./parameter-variables.ts";
import { listKeys } from "./paths.ts";
import { createProblem, originText } from "./problem.ts";
import type { ConfigProblem } from "./problem.ts";
import { ProblemLog } from "./problem-log.ts";
import { nameFromPath, readConfig, sourceWithoutFile } from "./read-config.ts";
import type { ConfigSource, ConfigSourceResult } from "./read-config.ts";
import { releaseWarnings } from "./release-warnings.ts";
import { resolveConfig } from "./resolve.ts";
import { isName } from "./schema-values.ts";
import type { ConfigInput } from "./schema.ts";
import { switchedOffWarnings } from "./switched-off-warnings.ts";
import { validate } from "./validate.ts";

export interface LoadOptions {
  /** The configuration file, or a folder with one; relative to `cwd`. Absent: looked for in `cwd`. */
  readonly file?: string;
  /** The configuration as an object, instead of a file. */
  readonly input?: ConfigInput;
  /** Model files to serve, instead of a file: `millrace serve a.onnx b.onnx`. Relative to `cwd`. */
  readonly models?: readonly string[];
  readonly flags: Flags;
  readonly env: Environment;
  /** Absolute. */
  readonly cwd: string;
}

export type LoadResult =
  | {
      readonly kind: "ok";
      readonly config: Config;
      /** Accepted, but not what its writer may expect. */
      readonly warnings: readonly ConfigWarning[];
      /** Who wrote each key, by path: `server.httpPort`, `services.iris.timeout`. */
      readonly origins: ReadonlyMap<string, Origin>;
      /** Model files that are not there yet. */
      readonly missingSources: readonly MissingSource[];
      /** The configuration as written: what `configRows` prints. */
      readonly tree: ConfigTree;
      /** The same reading of file and environment with these values over it; the file is not read again. */
      readonly layOver: (overrides: readonly LiveOverride[]) => Promise<LoadResult>;
    }
  | { readonly kind: "invalid"; readonly problems: readonly ConfigProblem[] };

interface MissingSource {
  readonly model: string;
  readonly key: "source" | "fallback";
  /** Absolute. */
  readonly path: string;
  readonly location: string;
}

/** What was read once, before anything is laid over it. */
interface Reading {
  readonly source: ConfigSource;
  readonly envFile: EnvFile;
  readonly options: LoadOptions;
}

/**
 * Reads the configuration: flags over environment over file over defaults. Finds every problem at once; a model
 * file that is missing is none, since it may appear later.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadResult> {
  const read = await readSource(options);
  if (read.kind === "invalid") return read;
  const { source } = read;
  const envFile = source.path === undefined ? NO_ENV_FILE : await readEnvFile(source.folder);
  return await layOver({ source, envFile, options }, []);
}

/** Lays environment, flags and overrides over the file, in that order, and checks the whole. */
async function layOver(reading: Reading, overrides: readonly LiveOverride[]): Promise<LoadResult> {
  const { source, envFile, options } = reading;
  const root = configJsonSchema();
  const env = { ...envFile.values, ...options.env };
  const { values, templates, problems: textProblems } = interpolate(source.values, root, env);
  const { shown: file, positionOf } = source;
  const tree = new ConfigTree({ file, values, positionOf, templates });
  for (const name of tree.namesAt(["models"])) tree.widen(["models", name], "source");

  const sources = { process: options.env, file: envFile };
  const log = new ProblemLog(tree, root);
  for (const { path, message } of textProblems) log.add(path, message);
  log.addAll(applyModels(tree, options));
  addModelServices(tree);
  log.addAll(applyEnvironment(tree, root, sources));
  log.addAll(applyFlags(tree, root, options.flags));
  addModelServices(tree);
  log.addAll(applyParameterVariables(tree, sources));
  log.addAll(applyOverrides(tree, root, overrides));

  const { output, problems } = validate(tree, root);
  log.addAll(problems);
  if (output === undefined) return { kind: "invalid", problems: log.problems };
  const isStateOptional = options.input !== undefined;
  const config = await resolveConfig({ output, tree, source, isStateOptional, log });
  if (log.problems.length > 0) return { kind: "invalid", problems: log.problems };
  return {
    kind: "ok",
    config,
    warnings: [...switchedOffWarnings(config, tree), ...releaseWarnings(config, tree)],
    origins: findOrigins(root, tree),
    missingSources: await findMissingSources(config, tree),
    tree,
    layOver: (next) => layOver(reading, next),
  };
}

async function readSource(options: LoadOptions): Promise<ConfigSourceResult> {
  const { file, input, models, cwd } = options;
  const hasModels = models !== undefined && models.length > 0;
  if (file === undefined && (input !== undefined || hasModels)) {
    return { kind: "ok", source: sourceWithoutFile({ ...input }, cwd) };
  }
  return await readConfig(file ?? cwd, cwd);
}

/** Adds the models that were named by their files. */
function applyModels(tree: ConfigTree, { models = [], cwd }: LoadOptions): ConfigProblem[] {
  return models.flatMap((argument) => {
    const name = nameFromPath(argument, "model");
    const path = ["models", name];
    const origin: Origin = { kind: "argument", argument };
    if (tree.get(path) !== undefined) {
      return [createProblem(origin, path, `name clash: two models are named "${name}"`)];
    }
    const isPath = !/^[a-z]{2,}:/i.test(argument);
    tree.set([...path, "source"], isPath ? resolve(cwd, argument) : argument, origin);
    return [];
  });
}

/** Every model has a service of its name: with it in the tree, its keys have defaults, flags and variables. */
function addModelServices(tree: ConfigTree): void {
  for (const name of tree.namesAt(["models"])) {
    if (isName(name)) tree.addObject(["services", name]);
  }
}

function findOrigins(root: SchemaNode, tree: ConfigTree): ReadonlyMap<string, Origin> {
  const keys = listKeys(root, (path) => tree.namesAt(path));
  const settable = keys.filter((key) => key.flag !== undefined);
  return new Map(settable.map(({ text, path }) => [text, tree.originOf(path)]));
}

async function findMissingSources(
  config: Config,
  tree: ConfigTree,
): Promise<readonly MissingSource[]> {
  const missing: MissingSource[] = [];
  for (const model of Object.values(config.models)) {
    for (const key of ["source", "fallback"] as const) {
      const source = model[key];
      if (source?.kind !== "path") continue;
      const isThere = await stat(source.path).then(
        () => true,
        () => false,
      );
      if (isThere) continue;
      const location = originText(tree.placeOf(["models", model.name, key], "value"));
      missing.push({ model: model.name, key, path: source.path, location });
    }
  }
  return missing;
}
