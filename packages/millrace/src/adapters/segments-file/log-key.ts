import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { KEY_FILE } from "../../core/predictions/log-folder.ts";

const KEY_BYTES = 32;
const KEY_TEXT = /^[0-9a-f]{64}$/;

/**
 * The key of keyed hashes in the log: that of the file, or else the one in the log's folder, which the first one who
 * asks makes. Processes that ask at once get the same.
 * @param folder of the log; created when it is not there.
 * @param configuredKey text of any length.
 * @returns 32 bytes; never to be printed.
 * @throws when the file of the key cannot be read or written, or is none.
 */
export function readLogKey(folder: string, configuredKey: string | undefined): Buffer {
  if (configuredKey !== undefined) return createHash("sha256").update(configuredKey).digest();
  const path = join(folder, KEY_FILE);
  const text = readIfThere(path) ?? createKey(folder, path);
  if (!KEY_TEXT.test(text)) {
    throw new Error(
      `Cannot read the key of the prediction log: "${path}" is damaged, expected 64 hexadecimal digits`,
    );
  }
  return Buffer.from(text, "hex");
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1").trim();
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Written whole under a name of its own first: of several that link it to the final one, the first wins. */
function createKey(folder: string, path: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`;
  try {
    const file = openSync(temporary, "wx", 0o600);
    try {
      writeFileSync(file, `${randomBytes(KEY_BYTES).toString("hex")}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    linkSync(temporary, path);
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
  return readFileSync(path, "latin1").trim();
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
