import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { coerce } from "./coerce.ts";
import type { ConfigTree, Origin } from "./config-tree.ts";
import { isPlainObject } from "./config-tree.ts";
import { didYouMean } from "./did-you-mean.ts";
import { ENVIRONMENT, FLAGS, matchPaths } from "./key-match.ts";
import type { Spelling } from "./key-match.ts";
import type { SchemaNode } from "./json-schema.ts";
import { listKeys } from "./paths.ts";
import { createProblem } from "./problem.ts";
import type { ConfigProblem } from "./problem.ts";
import { nodeAt, pathText } from "./schema-node.ts";

/** `MILLRACE_…` variables that are not keys of the configuration. */
const RESERVED_VARIABLES: readonly string[] = ["MILLRACE_CONFIG", "MILLRACE_KEY"];

/** Flags with a short form, and the key each is short for. */
const SHORT_FLAGS: Readonly<Record<string, string>> = {
  host: "server.host",
  port: "server.httpPort",
};

export type Environment = Readonly<Record<string, string | undefined>>;

/** Flags as typed (`["--port", "9000"]`), or already taken apart (`{ port: "9000" }`). */
export type Flags = readonly string[] | Readonly<Record<string, string>>;

export interface EnvFile {
  /** As problems name it. */
  readonly shown: string;
  readonly values: Environment;
}

/** Without a configuration file there is no `.env` beside it. */
export const NO_ENV_FILE: EnvFile = { shown: ".env", values: {} };

/** Reads `.env` in `folder`; no such file is no values. */
export async function readEnvFile(folder: string): Promise<EnvFile> {
  const text = await readFile(join(folder, ".env"), "utf8").catch(() => "");
  return { shown: ".env", values: parseEnv(text) };
}

/**
 * Sets the values of `MILLRACE_…` variables over those in `tree`; the process wins over `.env`. An empty variable
 * counts as not set.
 */
export function applyEnvironment(
  tree: ConfigTree,
  root: SchemaNode,
  sources: { readonly process: Environment; readonly file: EnvFile },
): readonly ConfigProblem[] {
  const variables = { ...sources.file.values, ...sources.process };
  return Object.entries(variables).flatMap(([variable, text]) => {
    if (!variable.startsWith(ENVIRONMENT.prefix) || RESERVED_VARIABLES.includes(variable))
      return [];
    if (text === undefined || text === "") return [];
    const isFromFile = sources.process[variable] === undefined;
    const file = isFromFile ? sources.file.shown : undefined;
    const key = variable.slice(ENVIRONMENT.prefix.length);
    const origin: Origin = { kind: "environment", variable, file };
    return applyText({ tree, root, spelling: ENVIRONMENT }, key, text, origin);
  });
}

/** Sets the values of flags over those in `tree`. */
export function applyFlags(
  tree: ConfigTree,
  root: SchemaNode,
  flags: Flags,
): readonly ConfigProblem[] {
  return flagPairs(flags).flatMap(({ name, value, isWord }) => {
    const origin: Origin = { kind: "flag", flag: isWord ? name : `--${name}` };
    if (isWord) {
      return [createProblem(origin, [], "unexpected word, expected --key value")];
    }
    const key = Object.hasOwn(SHORT_FLAGS, name) ? (SHORT_FLAGS[name] ?? name) : name;
    return applyText({ tree, root, spelling: FLAGS }, key, value, origin);
  });
}

interface Target {
  readonly tree: ConfigTree;
  readonly root: SchemaNode;
  readonly spelling: Spelling;
}

function applyText(
  target: Target,
  key: string,
  text: string | undefined,
  origin: Origin,
): readonly ConfigProblem[] {
  const { tree, root, spelling } = target;
  const [path, ...others] = matchPaths(key, spelling, root, tree);
  if (path === undefined) return [unknownKey(target, key, origin)];
  if (others.length > 0) {
    const all = [path, ...others].map(pathText).join(" and ");
    return [createProblem(origin, [], `ambiguous, it can mean ${all}`)];
  }
  const node = nodeAt(root, path) ?? {};
  if (text === undefined && node.type !== "boolean") {
    return [createProblem(origin, path, "has no value")];
  }
  setValue(target, path, coerce(text ?? "true", node), origin);
  return [];
}

/** Sets one value; a bare value on the way, or a bare one over an object, is what it is short for. */
function setValue(target: Target, path: readonly string[], value: unknown, origin: Origin): void {
  const { tree, root } = target;
  for (let depth = 1; depth < path.length; depth++) {
    const parent = path.slice(0, depth);
    const { shortFor } = nodeAt(root, parent) ?? {};
    if (shortFor !== undefined) tree.widen(parent, shortFor);
  }
  const { shortFor } = nodeAt(root, path) ?? {};
  const isShort = shortFor !== undefined && !isPlainObject(value) && isPlainObject(tree.get(path));
  tree.set(isShort ? [...path, shortFor] : path, value, origin);
}

function unknownKey({ tree, root, spelling }: Target, key: string, origin: Origin): ConfigProblem {
  const known = listKeys(root, (path) => tree.namesAt(path))
    .map((item) => (spelling === FLAGS ? item.flag : item.environment))
    .filter((text) => text !== undefined);
  const short = spelling === FLAGS ? Object.keys(SHORT_FLAGS).map((flag) => `--${flag}`) : [];
  const nearest = didYouMean(`${spelling.prefix}${key}`, [...short, ...known]);
  return createProblem(origin, [], "no such key", { didYouMean: nearest });
}

interface FlagPair {
  readonly name: string;
  /** Undefined when nothing follows the flag. */
  readonly value: string | undefined;
  /** Not a flag at all. */
  readonly isWord: boolean;
}

function flagPairs(flags: Flags): readonly FlagPair[] {
  if (!isArgumentList(flags)) {
    return Object.entries(flags).map(([key, value]) => ({
      name: key.replace(/^--/, ""),
      value,
      isWord: false,
    }));
  }
  const pairs: FlagPair[] = [];
  for (let index = 0; index < flags.length; index++) {
    const word = flags[index] ?? "";
    const [, name, value] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined) {
      pairs.push({ name: word, value: undefined, isWord: true });
      continue;
    }
    const next = flags[index + 1];
    const takesNext = value === undefined && next !== undefined && !next.startsWith("--");
    pairs.push({ name, value: takesNext ? next : value, isWord: false });
    if (takesNext) index++;
  }
  return pairs;
}

function isArgumentList(flags: Flags): flags is readonly string[] {
  return Array.isArray(flags);
}
