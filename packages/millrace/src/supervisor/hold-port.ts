import { createServer, type ListenOptions, type Server } from "node:net";
import { quietPort } from "../core/quiet-port.ts";
import { listenError } from "../serve/listen.ts";

/** Ports tried where a free one is asked for. */
const ATTEMPTS_MAX = 20;

export interface HeldPort {
  readonly port: number;
  release(): Promise<void>;
}

/**
 * Finds out whether a port can be had, alone, and keeps it from other supervisors: processes that share a port
 * would otherwise share it with another Millrace, and each would get half of the requests. An earlier one is
 * found by listening for a moment. One that starts at the same time is found by a name that only one can
 * have, which Linux offers beside its ports.
 *
 * @param port 0 asks for a free one. @param key its configuration key. @throws StartError when it is in use.
 */
export async function holdPort(host: string, port: number, key: string): Promise<HeldPort> {
  try {
    const found = port === 0 ? await freePort(host) : await seen(host, port);
    if (process.platform !== "linux") return { port: found, release: () => Promise.resolve() };
    const name = await listening({ path: `\0millrace ${host} ${found}`, exclusive: true });
    name.unref();
    return { port: found, release: () => closed(name) };
  } catch (error) {
    throw listenError(error, { host, port, key });
  }
}

/** @returns the port, when nobody else has it. */
async function seen(host: string, port: number): Promise<number> {
  await closed(await listening({ host, port, exclusive: true }));
  return port;
}

/** The processes that share it listen only when they have started, so it is none the kernel would give away. */
async function freePort(host: string): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await seen(host, quietPort(Math.random()));
    } catch (error) {
      const isTaken = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
      if (!isTaken || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

function listening(options: ListenOptions): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options, () => resolve(server));
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
