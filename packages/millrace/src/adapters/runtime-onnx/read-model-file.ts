import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { ModelFileError } from "./model-file-error.ts";

/** A protobuf message cannot be larger; bigger models keep their weights in external data. */
export const MODEL_FILE_BYTES_MAX = 2 ** 31 - 1;

export interface ModelFileContent {
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/**
 * Reads the file once, so that what is hashed, checked and run are the same bytes.
 * @throws ModelFileError when it is missing, unreadable, empty, too large or not the expected one.
 */
export async function readModelFile(
  path: string,
  sha256Expected: string | undefined,
): Promise<ModelFileContent> {
  const bytes = await readBytes(path);
  const sha256 = sha256Of(bytes);
  if (sha256Expected !== undefined && sha256 !== sha256Expected) {
    throw new ModelFileError(`its sha256 is ${sha256}, expected ${sha256Expected}`);
  }
  return { bytes, sha256 };
}

/** @returns the digest in lower-case hex. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function readBytes(path: string): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    const stat = await file.stat();
    if (!stat.isFile()) throw new ModelFileError("it is not a file");
    if (stat.size === 0) throw new ModelFileError("it is empty, 0 bytes");
    if (stat.size > MODEL_FILE_BYTES_MAX) {
      const limit = `at most ${MODEL_FILE_BYTES_MAX} are allowed; save it with external data`;
      throw new ModelFileError(`it has ${stat.size} bytes, ${limit}`);
    }
    return await file.readFile();
  } catch (error) {
    if (error instanceof ModelFileError) throw error;
    throw new ModelFileError(explainSystemError(error), { cause: error });
  } finally {
    await file?.close();
  }
}

function explainSystemError(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") return "there is no such file";
  if (code === "EACCES" || code === "EPERM") return "this process may not read it";
  return `it cannot be read, ${error instanceof Error ? error.message : "unknown error"}`;
}
