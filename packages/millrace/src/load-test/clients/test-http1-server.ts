import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

/** Talks HTTP/1.1 in bytes, and whatever else no HTTP server would say: `await using server = …`. */
export interface TestHttp1Server extends AsyncDisposable {
  /** 0 of a Unix socket. */
  readonly port: number;
  readonly url: string;
  /** Connections so far, oldest first. */
  readonly sockets: readonly Socket[];
  /** All that came, on all of them. */
  text(): string;
}

/** What a connection says to each request it hears, or does, given how many it has heard before. */
export type TestHttp1Answer = string | ((socket: Socket, requests: number) => void);

export interface TestHttp1Options {
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly unixSocket?: string;
}

/** @param answer one piece of bytes that comes counts as one request. */
export async function startHttp1Server(
  answer: TestHttp1Answer,
  { tls, unixSocket }: TestHttp1Options = {},
): Promise<TestHttp1Server> {
  const sockets: Socket[] = [];
  let text = "";
  const talk = (socket: Socket) => {
    let requests = 0;
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      text += bytes.toString();
      if (typeof answer === "string") socket.write(answer);
      else answer(socket, requests++);
    });
  };
  const server =
    tls === undefined
      ? createServer(talk)
      : createTlsServer({ ...tls, ALPNProtocols: ["h2", "http/1.1"] }, talk);
  const port = await listen(server, unixSocket);
  return {
    port,
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}/`,
    sockets,
    text: () => text,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function listen(server: Server, unixSocket: string | undefined): Promise<number> {
  await new Promise<void>((resolve) => {
    if (unixSocket === undefined) server.listen(0, "127.0.0.1", resolve);
    else server.listen(unixSocket, resolve);
  });
  return unixSocket === undefined ? (server.address() as AddressInfo).port : 0;
}
