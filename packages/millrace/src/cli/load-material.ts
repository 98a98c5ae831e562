import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { stdin } from "node:process";
import type { TlsPlan } from "../load-test/load-plan.ts";
import { tlsOptions } from "../load-test/clients/tls-options.ts";
import { UsageError } from "./command.ts";
import type { TlsOrder } from "./load-order.ts";

/** What an option names, read. @throws UsageError where it cannot be. */
export async function readNamedFile(option: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no file" : `cannot read (${code ?? "unknown"})`;
    throw new UsageError(`--${option}: ${why} ${JSON.stringify(path)}`);
  }
}

/** Everything that comes through the pipe. */
export function readPipe(): Promise<Uint8Array> {
  return buffer(stdin);
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
