import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";

/** @returns a port of 127.0.0.1 that nobody uses now; another program may take it before it is used. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
