import { createHash, randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { MillraceError } from "../core/errors.ts";

/** Largest file that is fetched: 2 GiB, the largest an ONNX file without external data can be. */
const FETCH_BYTES_MAX = 2 ** 31;

/** Longest time one file may take. */
const FETCH_MS_MAX = 10 * 60_000;

/**
 * Brings a model from an address of the configuration into `folder`, once: the file is named by its digest.
 * Redirects are refused, so that the address in the file is the address that is asked.
 *
 * @returns the local path.
 * @throws MODEL_LOAD_FAILED when the server does not give the file, or it has another digest.
 */
export async function fetchModel(
  url: string,
  sha256: string | undefined,
  folder: string,
): Promise<string> {
  const fail = (reason: string, cause?: unknown): MillraceError =>
    new MillraceError("MODEL_LOAD_FAILED", `Cannot load "${withoutSecrets(url)}": ${reason}`, {
      cause,
    });
  if (sha256 === undefined) throw fail("a model from a URL needs its sha256");
  const path = join(folder, `${sha256}.onnx`);
  if ((await stat(path).catch(() => undefined)) !== undefined) return path;
  await mkdir(folder, { recursive: true });
  // A name of its own: the same file may be fetched twice at once, by two models or two containers.
  const draft = `${path}.${randomUUID()}.draft`;
  try {
    const response = await fetch(url, {
      redirect: "error",
      signal: AbortSignal.timeout(FETCH_MS_MAX),
    });
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel();
      throw fail(`the server answered ${response.status}`);
    }
    const found = await save(response.body, draft, fail);
    if (found !== sha256) throw fail(`its sha256 is ${found}, expected ${sha256}`);
    await rename(draft, path);
    return path;
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    throw fail(reasonOf(error), error);
  } finally {
    await rm(draft, { force: true });
  }
}

/** The part of an address that may stand in logs and replies: signed addresses carry a secret behind the "?". */
function withoutSecrets(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

/** `fetch` says only "fetch failed"; why is in the cause, whose message may be empty with several addresses. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  const { message, code } = cause as NodeJS.ErrnoException;
  return message === "" ? (code ?? cause.name) : message;
}

async function save(
  body: ReadableStream<Uint8Array>,
  path: string,
  fail: (reason: string) => MillraceError,
): Promise<string> {
  const hash = createHash("sha256");
  let byteCount = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      byteCount += chunk.length;
      if (byteCount > FETCH_BYTES_MAX) {
        done(fail(`it is larger than ${FETCH_BYTES_MAX} bytes`));
        return;
      }
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(Readable.fromWeb(body), measure, createWriteStream(path));
  return hash.digest("hex");
}
