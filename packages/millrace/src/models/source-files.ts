import { readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { MillraceError } from "../core/errors.ts";
import { isPartOfModel, MODEL_FOLDER_ENTRIES_MAX } from "../core/model-folder.ts";
import type { ServePolicy } from "../config/config.ts";
import type { ModelProgram } from "../ports/runtime.ts";

/** A model file that should be served. */
export interface SourceFile {
  readonly path: string;
  /** Number of its folder; undefined for a plain file, whose content gets a number from the ledger. */
  readonly version: number | undefined;
  /** Changes whenever the file is replaced or written. */
  readonly fingerprint: string;
  /** Why this version cannot be loaded, found out by looking at its folder; the others may be. */
  readonly problem: MillraceError | undefined;
}

/**
 * Lists the files of a source: the file itself, or of a folder of numbered versions (`1/model.onnx`) those
 * that `policy` asks for, in ascending order.
 * @throws MODEL_LOAD_FAILED when there is nothing to serve, saying what was looked for.
 */
export async function listSourceFiles(path: string, policy: ServePolicy): Promise<SourceFile[]> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) throw loadFailed(path, "there is no such file");
  if (!info.isDirectory()) {
    const fingerprint = await fingerprintOf(path);
    return [{ path, version: undefined, fingerprint, problem: undefined }];
  }
  const numbers = await numberedFolders(path);
  if (numbers.length === 0) {
    throw loadFailed(
      path,
      "the folder has no numbered versions, expected 1/model.onnx, 2/model.onnx",
    );
  }
  const wanted = chooseVersions(path, numbers, policy);
  return Promise.all(wanted.map((version) => versionOf(path, version, findModelFile)));
}

/**
 * Lists what a program is given: a file or a folder as it is, or of a folder of numbered versions those that `policy`
 * asks for, each a folder.
 * @throws MODEL_LOAD_FAILED when there is nothing to serve, saying what was looked for.
 */
export async function listProgramSources(
  path: string | undefined,
  policy: ServePolicy,
  program: ModelProgram,
): Promise<SourceFile[]> {
  const files = await Promise.all(program.files.map((file) => fingerprintOf(file).catch(() => "")));
  const withProgram = (source: SourceFile): SourceFile => ({
    ...source,
    fingerprint: [source.fingerprint, ...files].join(" "),
  });
  if (path === undefined) {
    const fingerprint = program.folder;
    return [
      withProgram({ path: program.folder, version: undefined, fingerprint, problem: undefined }),
    ];
  }
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) throw loadFailed(path, "there is no such file or folder");
  const numbers = info.isDirectory() ? await numberedFolders(path) : [];
  if (numbers.length === 0) {
    const fingerprint = await (info.isDirectory() ? folderFingerprint : fingerprintOf)(path);
    return [withProgram({ path, version: undefined, fingerprint, problem: undefined })];
  }
  const wanted = chooseVersions(path, numbers, policy);
  const versions = await Promise.all(wanted.map((version) => versionOf(path, version, undefined)));
  return versions.map(withProgram);
}

async function numberedFolders(path: string): Promise<number[]> {
  const names = await readdir(path);
  const numbers = names.filter((name) => /^[1-9]\d*$/.test(name)).map(Number);
  return numbers.sort((a, b) => a - b);
}

/** @param find the file in the folder; undefined takes the folder. */
async function versionOf(
  path: string,
  version: number,
  find: ((folder: string) => Promise<string>) | undefined,
): Promise<SourceFile> {
  const folder = join(path, String(version));
  try {
    if (find === undefined) {
      const fingerprint = await folderFingerprint(folder);
      return { path: folder, version, fingerprint, problem: undefined };
    }
    const file = await find(folder);
    return { path: file, version, fingerprint: await fingerprintOf(file), problem: undefined };
  } catch (error) {
    const problem =
      error instanceof MillraceError ? error : loadFailed(folder, (error as Error).message);
    return { path: folder, version, fingerprint: `${folder}: ${problem.message}`, problem };
  }
}

function chooseVersions(path: string, present: number[], policy: ServePolicy): number[] {
  switch (policy.kind) {
    case "all":
      return present;
    case "latest":
      return present.slice(-1);
    case "list": {
      const missing = policy.versions.filter((version) => !present.includes(version));
      if (missing.length === 0) return present.filter((v) => policy.versions.includes(v));
      throw loadFailed(
        path,
        `version ${missing.join(", ")} is not there, found ${present.join(", ")}`,
      );
    }
  }
}

/** `model.onnx` of a version folder, or its only .onnx file. */
async function findModelFile(folder: string): Promise<string> {
  const names = await readdir(folder);
  if (names.includes("model.onnx")) return join(folder, "model.onnx");
  const [only, second] = names.filter((name) => name.endsWith(".onnx"));
  if (only !== undefined && second === undefined) return join(folder, only);
  throw loadFailed(folder, "expected model.onnx or exactly one other .onnx file");
}

async function folderFingerprint(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  if (entries.length > MODEL_FOLDER_ENTRIES_MAX) {
    const state = `the folder has ${entries.length} entries`;
    throw loadFailed(folder, `${state}, at most ${MODEL_FOLDER_ENTRIES_MAX} are taken`);
  }
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => isPartOfModel(relative(folder, path)));
  return (await Promise.all(paths.sort().map(fingerprintOf))).join(" ");
}

async function fingerprintOf(path: string): Promise<string> {
  const info = await stat(path, { bigint: true });
  return `${path}:${info.ino}:${info.size}:${info.mtimeNs}`;
}

function loadFailed(path: string, reason: string): MillraceError {
  return new MillraceError("MODEL_LOAD_FAILED", `Cannot load "${path}": ${reason}`);
}
