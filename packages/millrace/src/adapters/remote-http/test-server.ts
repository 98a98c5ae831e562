import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from "node:net";
import { buffer } from "node:stream/consumers";

/** A request as a stand-in server got it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A real server of a test, on a free port of the loopback: `await using server = …`. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Oldest first. */
  readonly seen: readonly Seen[];
  readonly connectionCount: number;
}

/** Answers with `answer`, once it has all of the request. */
export async function startServer(
  answer: (seen: Seen, response: ServerResponse) => void,
  port = 0,
): Promise<TestServer> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    buffer(request).then(
      (body) => {
        const entry = { method, path: url, headers, body };
        seen.push(entry);
        answer(entry, response);
      },
      () => undefined, // the client has gone
    );
  });
  return listen(server, port, seen);
}

/** Talks to each connection in bytes, for what no HTTP server would do. */
export function startTcpServer(talk: (socket: Socket, index: number) => void): Promise<TestServer> {
  let count = 0;
  const server = createTcpServer((socket) => {
    socket.on("error", () => undefined);
    talk(socket, count++);
  });
  return listen(server, 0, []);
}

async function listen(server: Server, wanted: number, seen: readonly Seen[]): Promise<TestServer> {
  const sockets = new Set<Socket>();
  let connectionCount = 0;
  server.on("connection", (socket: Socket) => {
    connectionCount++;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(wanted, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    seen,
    get connectionCount() {
      return connectionCount;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Answers with JSON. */
export function reply(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

export function jsonOf({ body }: Seen): unknown {
  return JSON.parse(body.toString()) as unknown;
}
