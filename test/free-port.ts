import { createServer } from "node:net";
import { quietPort } from "../packages/millrace/src/core/quiet-port.ts";

const ATTEMPTS_MAX = 20;

/** Given out in this process, and perhaps not listened on yet. */
const given = new Set<number>();

/** @returns a port of 127.0.0.1 nobody listens on right now, and that no outgoing connection takes meanwhile. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const port = quietPort(Math.random());
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`No free port in ${ATTEMPTS_MAX} attempts`);
}

function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once("error", () => resolve(false));
    probe.listen({ host: "127.0.0.1", port, exclusive: true }, () =>
      probe.close(() => resolve(true)),
    );
  });
}
