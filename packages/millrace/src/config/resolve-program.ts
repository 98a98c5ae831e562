import { realpath, stat } from "node:fs/promises";
import { resolve, sep } from "node:path";
import type { ModelProgram } from "../ports/runtime.ts";
import type { ModelContext } from "./model-context.ts";

/** Keys that only a program has, and none of another runtime. */
const PROGRAM_KEYS = ["command", "cwd"] as const;

/** The program of `runtime: process`; undefined for other runtimes and when something is wrong with it. */
export async function resolveProgram(context: ModelContext): Promise<ModelProgram | undefined> {
  const { name, model, log } = context;
  if (model.runtime !== "process") {
    for (const key of PROGRAM_KEYS) {
      if (model[key] === undefined) continue;
      log.add(["models", name, key], `${key} is for runtime: process, found ${model.runtime}`);
    }
    return undefined;
  }
  const { command, env } = model;
  if (command === undefined) {
    log.add(["models", name, "command"], "missing, runtime: process needs the program to start");
    return undefined;
  }
  checkUse(context, [...command, ...Object.values(env)]);
  const folder = resolve(context.folder, model.cwd ?? ".");
  return {
    model: name,
    command,
    folder,
    files: await filesOf(command, folder),
    hasSource: model.source !== undefined,
    env,
    startMs: model.startTimeout,
  };
}

function checkUse({ name, model, log }: ModelContext, texts: readonly string[]): void {
  if (model.placement === "inline") {
    const message = "found inline, a process never runs on the thread that serves";
    log.add(["models", name, "placement"], message);
  }
  if (model.source !== undefined) return;
  if (texts.some((text) => text.includes("{source}"))) {
    log.add(["models", name, "command"], "{source} stands in it, but the model has no source");
  }
  if (model.fallback !== undefined) {
    const message = "a program without a source has nothing that a fallback could stand in for";
    log.add(["models", name, "fallback"], message);
  }
}

/** Files in the folder that the command names: scripts, settings. Not what links out of it, such as the Python of a venv. */
async function filesOf(command: readonly string[], folder: string): Promise<readonly string[]> {
  const root = await realpath(folder).catch(() => folder);
  const files: string[] = [];
  for (const word of command) {
    const path = resolve(folder, word);
    const target = await realpath(path).catch(() => "");
    const isFile = target !== "" && (await stat(target)).isFile();
    if (isFile && target.startsWith(`${root}${sep}`) && !files.includes(path)) files.push(path);
  }
  return files;
}
