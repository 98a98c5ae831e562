import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { MillraceError } from "../core/errors.ts";
import type { ServePolicy } from "../config/config.ts";

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
  const names = await readdir(path);
  const numbers = names.filter((name) => /^[1-9]\d*$/.test(name)).map(Number);
  numbers.sort((a, b) => a - b);
  if (numbers.length === 0) {
    throw loadFailed(
      path,
      "the folder has no numbered versions, expected 1/model.onnx, 2/model.onnx",
    );
  }
  const wanted = chooseVersions(path, numbers, policy);
  return Promise.all(wanted.map((version) => versionFile(join(path, String(version)), version)));
}

async function versionFile(folder: string, version: number): Promise<SourceFile> {
  try {
    const path = await findModelFile(folder);
    return { path, version, fingerprint: await fingerprintOf(path), problem: undefined };
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

async function fingerprintOf(path: string): Promise<string> {
  const info = await stat(path, { bigint: true });
  return `${path}:${info.ino}:${info.size}:${info.mtimeNs}`;
}

function loadFailed(path: string, reason: string): MillraceError {
  return new MillraceError("MODEL_LOAD_FAILED", `Cannot load "${path}": ${reason}`);
}
