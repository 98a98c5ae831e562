import { createReadStream } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { messageOf } from "../../core/message-of.ts";
import { boundedBytes } from "../bounded-bytes.ts";
import { LoadInputError } from "../load-input-error.ts";
import { parseBody, type BodyFilling } from "./body-template.ts";
import type { LoadBody } from "./load-target.ts";

/** Of all bodies; each thread has a copy. */
const BYTES_MAX = 256 * 2 ** 20;

/** Bodies of targets; a file that several name is read once. */
export class BodyFiles {
  readonly #folders: readonly string[];
  readonly #filling: BodyFilling;
  readonly #read = new Map<string, LoadBody>();
  #byteCount = 0;

  constructor(folders: readonly string[], filling: BodyFilling) {
    this.#folders = folders;
    this.#filling = filling;
  }

  /** @param where begins messages. @throws LoadInputError */
  async read(name: string, where: string): Promise<LoadBody> {
    const known = this.#read.get(name);
    if (known !== undefined) return known;
    const body = this.parse(await this.#bytesOf(name, where), name);
    this.#read.set(name, body);
    return body;
  }

  /** @param where begins messages. @throws LoadInputError */
  parse(bytes: Uint8Array, where: string): LoadBody {
    this.#byteCount += bytes.length;
    if (this.#byteCount > BYTES_MAX) throw tooLarge(where);
    return parseBody(bytes, this.#filling, where);
  }

  async #bytesOf(name: string, where: string): Promise<Uint8Array> {
    const paths = isAbsolute(name) ? [name] : this.#folders.map((folder) => resolve(folder, name));
    let problem = "no folder to look in";
    for (const path of paths) {
      try {
        const bytes = await boundedBytes(createReadStream(path), BYTES_MAX - this.#byteCount);
        if (bytes !== undefined) return bytes;
      } catch (error) {
        problem = messageOf(error);
        continue;
      }
      throw tooLarge(where);
    }
    throw new LoadInputError(`${where}: cannot read the body from ${name}: ${problem}`);
  }
}

function tooLarge(where: string): LoadInputError {
  return new LoadInputError(
    `${where}: the bodies of all targets have more than ${BYTES_MAX / 2 ** 20} MiB`,
  );
}
