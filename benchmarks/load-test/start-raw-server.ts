import { spawn } from "node:child_process";
import { once } from "node:events";
import { onCore, SERVER_CORE } from "../serving/run-process.ts";

/** Starts a minimal HTTP server on the server's core; it ends with `stop`, or with this process. */
export async function startRawServer(): Promise<{ readonly url: string; stop(): void }> {
  const command = [process.execPath, `${import.meta.dirname}/raw-server.ts`];
  const [file = "", ...words] = onCore(SERVER_CORE, command);
  const child = spawn(file, words, { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return {
    url: `http://127.0.0.1:${line.toString().trim()}/predict`,
    stop: () => void child.stdin.end(),
  };
}
