import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "./load.ts";
import type { LoadedConfig } from "./print.ts";
import type { LoadResult } from "./load.ts";
import { renderProblem } from "./problem.ts";

/** Loads a file of this text from a folder of its own, which has empty files of these names too and is gone then. */
async function loadYaml(yaml: string, files: readonly string[] = []): Promise<LoadResult> {
  const cwd = await realpath(await mkdtemp(join(tmpdir(), "millrace-yaml-")));
  try {
    for (const name of files) await writeFile(join(cwd, name), "");
    await writeFile(join(cwd, "millrace.yaml"), yaml);
    return await loadConfig({ flags: [], env: {}, cwd });
  } finally {
    await rm(cwd, { recursive: true });
  }
}

/** @throws with the problems when there are some. */
export async function loadedYaml(
  yaml: string,
  files: readonly string[] = [],
): Promise<LoadedConfig> {
  const result = await loadYaml(yaml, files);
  if (result.kind === "ok") return result;
  throw new Error(result.problems.map(renderProblem).join("\n"));
}

/** Every problem as it is printed. */
export async function problemsOfYaml(
  yaml: string,
  files: readonly string[] = [],
): Promise<readonly string[]> {
  const result = await loadYaml(yaml, files);
  return result.kind === "ok" ? [] : result.problems.map(renderProblem);
}
