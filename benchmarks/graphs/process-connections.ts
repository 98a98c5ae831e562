import { Agent, request } from "node:http";
import type { HttpAnswer } from "../serving/http-post.ts";
import type { HttpRequest } from "../serving/peers/peer.ts";
import { runProcess } from "../serving/run-process.ts";

const ANSWER_MS_MAX = 10_000;
const CONNECTIONS_MAX = 64;

/** A connection that is kept, and so stays with the serve process that accepted it. */
export class ProcessConnection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;
  /** Of this end; undefined before the first answer. */
  localPort: number | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** @throws when the server does not answer, or has closed the connection since the first answer. */
  ask({ path, headers, body }: HttpRequest): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const options = {
        agent: this.#agent,
        host: "127.0.0.1",
        port: this.#port,
        method: "POST",
        path,
        headers: { ...headers, "content-length": String(body.length) },
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      };
      const sent = request(options, (response) => {
        const chunks: Buffer[] = [];
        const { localPort } = response.socket;
        if (localPort !== (this.localPort ??= localPort)) reject(new Error("It was closed"));
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) });
        });
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/**
 * Opens connections until each of `processes` processes that share the port has accepted `each` of them.
 * @returns those, by the pid of their process. @throws when the kernel never chose one of the processes.
 */
export async function connectToEach(
  port: number,
  first: HttpRequest,
  { processes, each }: { readonly processes: number; readonly each: number },
): Promise<ReadonlyMap<number, readonly ProcessConnection[]>> {
  const byPid = new Map<number, ProcessConnection[]>();
  for (let i = 0; i < CONNECTIONS_MAX; i++) {
    const connection = new ProcessConnection(port);
    await connection.ask(first);
    const pid = await pidOfPeer(port, connection.localPort ?? 0);
    const own = byPid.get(pid) ?? [];
    if (own.length < each) byPid.set(pid, [...own, connection]);
    else connection.close();
    const full = [...byPid.values()].filter((connections) => connections.length === each);
    if (full.length === processes) return byPid;
  }
  throw new Error(`${CONNECTIONS_MAX} connections did not reach ${processes} processes`);
}

/** Whose socket is at the other end? */
async function pidOfPeer(port: number, localPort: number): Promise<number> {
  const filter = `sport = :${port} and dport = :${localPort}`;
  const output = await runProcess(["ss", "-Htnp", "state", "established", filter], ANSWER_MS_MAX);
  const pid = /pid=(\d+)/.exec(output)?.[1];
  if (pid === undefined) throw new Error(`ss knows no process of port ${localPort}: ${output}`);
  return Number(pid);
}
