import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { MillraceError } from "../../core/errors.ts";
import type { FunctionKind } from "./thread-messages.ts";

const EXTENSIONS = [".ts", ".mts", ".js", ".mjs"];

/** A function is written by hand: what is larger is not one. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/** The file of a function as it was when it was read. */
export interface FunctionFile {
  readonly kind: FunctionKind;
  readonly path: string;
  readonly source: string;
  /** SHA-256 of the kind and the content, 64 hex digits. What the file imports is not in it. */
  readonly digest: string;
  /** Name of the file without its extension. */
  readonly name: string;
}

/** @throws MODEL_LOAD_FAILED when the file cannot be read or is none of JavaScript. */
export async function readFunctionFile(kind: FunctionKind, path: string): Promise<FunctionFile> {
  const extension = extname(path);
  if (!EXTENSIONS.includes(extension)) {
    throw loadFailed(path, `its name ends in "${extension}", expected ${EXTENSIONS.join(", ")}`);
  }
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw loadFailed(
      path,
      code === "ENOENT" ? "the file does not exist" : `it cannot be read (${code ?? ""})`,
      error,
    );
  }
  if (bytes.byteLength > FILE_BYTES_MAX) {
    throw loadFailed(path, `it has ${bytes.byteLength} bytes, the limit is ${FILE_BYTES_MAX}`);
  }
  return {
    kind,
    path,
    source: bytes.toString("utf8"),
    digest: createHash("sha256").update(`${kind}\n`).update(bytes).digest("hex"),
    name: basename(path, extension),
  };
}

/** @param why stands behind "Cannot load function <path>: ". */
export function loadFailed(path: string, why: string, cause?: unknown): MillraceError {
  const message = `Cannot load function "${path}": ${why}`;
  return new MillraceError("MODEL_LOAD_FAILED", message, { cause });
}
