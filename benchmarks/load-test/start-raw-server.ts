import { spawn } from "node:child_process";
import { once } from "node:events";
import { onCore, SERVER_CORE } from "../serving/run-process.ts";

/** @param file of this folder. @returns a server on the server's core; it ends with `stop`, or with this process. */
export async function startRawServer(
  file: "raw-server.ts" | "timed-server.ts",
): Promise<{ readonly port: number; readonly url: string; stop(): void }> {
  const command = [process.execPath, `${import.meta.dirname}/${file}`];
  const [program = "", ...words] = onCore(SERVER_CORE, command);
  const child = spawn(program, words, { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(line.toString());
  return {
    port,
    url: `http://127.0.0.1:${port}/predict`,
    stop: () => void child.stdin.end(),
  };
}
