import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { StartError } from "./listen.ts";

/** A certificate and its key, as PEM. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** @throws StartError when the files are not a certificate and its key. */
export function readTls(tls: { readonly certPath: string; readonly keyPath: string }): TlsFiles {
  try {
    const files = { cert: readFileSync(tls.certPath), key: readFileSync(tls.keyPath) };
    createSecureContext(files);
    return files;
  } catch (error) {
    throw new StartError(
      `Cannot use server.tls (cert ${tls.certPath}, key ${tls.keyPath}): ${(error as Error).message}`,
      error,
    );
  }
}
