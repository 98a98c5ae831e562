import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fixtureModel } from "../fixtures/fixture-model.ts";
import { ROOT } from "./millrace-process.ts";

/** Text, bytes, or another file's content. */
export type FileContent = string | Uint8Array | { readonly copyOf: string };

/** A folder of a test's own, removed at its end: `using folder = new Workspace({ … })`. */
export class Workspace implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "millrace-e2e-"));

  constructor(files: Readonly<Record<string, FileContent>> = {}) {
    for (const [name, content] of Object.entries(files)) this.put(name, content);
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** Puts a file in its place whole, by renaming, as a deployment should. */
  put(name: string, content: FileContent): void {
    const path = this.file(name);
    mkdirSync(dirname(path), { recursive: true });
    const draft = `${path}.draft`;
    if (typeof content === "string" || content instanceof Uint8Array) writeFileSync(draft, content);
    else cpSync(content.copyOf, draft);
    renameSync(draft, path);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Iris, exported by scikit-learn: FP32 [N, 4] → probabilities of three classes. */
export const IRIS = { copyOf: join(ROOT, "examples/models/iris_svc.onnx") };

/** Another iris model with other probabilities: the file a deployment replaces the first one with. */
export const IRIS_V2 = { copyOf: join(ROOT, "examples/models/v2/iris_svc.onnx") };

export function fixture(name: string): { copyOf: string } {
  return { copyOf: fixtureModel(name) };
}

export const SETOSA = [[5.1, 3.5, 1.4, 0.2]];

/** Listens on a free port until it is disposed of. */
export async function takePort(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
      }),
  };
}

/** No part of the output is a stack trace. */
export const STACK_LINE = /^\s+at .*\(/m;
