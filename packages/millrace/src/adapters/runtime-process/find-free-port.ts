import { once } from "node:events";
import { createServer } from "node:net";
import { quietPort } from "../../core/quiet-port.ts";

const ATTEMPTS_MAX = 20;

/** @returns a port of 127.0.0.1 that nobody uses now; another program may take it before it is used. */
export async function findFreePort(): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = quietPort(Math.random());
    try {
      const server = createServer().listen({ host: "127.0.0.1", port, exclusive: true });
      await once(server, "listening");
      server.close();
      await once(server, "close");
      return port;
    } catch (error) {
      if (attempt === ATTEMPTS_MAX) throw error;
    }
  }
}
