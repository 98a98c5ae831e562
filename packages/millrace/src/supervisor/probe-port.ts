import { createServer, type AddressInfo } from "node:net";
import { listenError } from "../serve/listen.ts";

/**
 * Finds out whether a port can be had, alone: processes that share a port would otherwise share it with an
 * earlier Millrace that nobody stopped, and each would get half of the requests.
 *
 * @param port 0 asks for a free one. @returns the port. @throws StartError when it is in use.
 */
export async function probePort(host: string, port: number): Promise<number> {
  const server = createServer();
  const found = await new Promise<number>((resolve, reject) => {
    server.once("error", (error) =>
      reject(listenError(error, { host, port, key: "server.httpPort" })),
    );
    server.listen({ host, port, exclusive: true }, () =>
      resolve((server.address() as AddressInfo).port),
    );
  });
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return found;
}
