import { createReadStream } from "node:fs";
import { stdin } from "node:process";
import { boundedBytes } from "../load-test/bounded-bytes.ts";
import type { TlsPlan } from "../load-test/load-plan.ts";
import { tlsOptions } from "../load-test/clients/tls-options.ts";
import { UsageError } from "./command.ts";
import type { TlsOrder } from "./load-order.ts";

/** Of targets, a body or a certificate. */
const BYTES_MAX = 256 * 2 ** 20;

/** What an option names, read. @throws UsageError where it cannot be, or has more than 256 MiB. */
export async function readNamedFile(option: string, path: string): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = await boundedBytes(createReadStream(path), BYTES_MAX);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no file" : `cannot read (${code ?? "unknown"})`;
    throw new UsageError(`--${option}: ${why} ${JSON.stringify(path)}`);
  }
  return notTooLarge(bytes, `--${option}: ${JSON.stringify(path)}`);
}

/** Everything that comes through the pipe. @throws UsageError where that is more than 256 MiB. */
export async function readPipe(): Promise<Uint8Array> {
  return notTooLarge(await boundedBytes(stdin, BYTES_MAX), "the pipe");
}

function notTooLarge(bytes: Uint8Array | undefined, what: string): Uint8Array {
  if (bytes !== undefined) return bytes;
  throw new UsageError(`${what} has more than ${BYTES_MAX / 2 ** 20} MiB`);
}

/** Reads the certificates, and proves that they can be used. @throws UsageError, LoadInputError; no text of a key. */
export async function readTlsPlan(order: TlsOrder): Promise<TlsPlan> {
  const text = async (option: string, path: string): Promise<string> =>
    Buffer.from(await readNamedFile(option, path)).toString();
  const { rootFiles, certificateFile, keyFile } = order;
  const plan: TlsPlan = {
    insecure: order.isInsecure,
    rootCertificates: await Promise.all(rootFiles.map((path) => text("root-certs", path))),
    certificate: certificateFile === undefined ? undefined : await text("cert", certificateFile),
    privateKey: keyFile === undefined ? undefined : await text("key", keyFile),
  };
  tlsOptions(plan);
  return plan;
}
