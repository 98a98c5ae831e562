import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A server that does with each connection what a test wants, may close half of it, and has closed it when the client has. */
export class TestHostileServer implements AsyncDisposable {
  /** Those that are open. */
  readonly sockets = new Set<Socket>();
  /** All that there ever were. */
  connections = 0;
  readonly #server: Server;

  private constructor(serve: (socket: Socket) => void) {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.connections++;
      this.sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("end", () => socket.destroy());
      socket.on("close", () => this.sockets.delete(socket));
      serve(socket);
    });
  }

  static async start(serve: (socket: Socket) => void): Promise<TestHostileServer> {
    const server = new TestHostileServer(serve);
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  /** `127.0.0.1:1234` */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
    await once(this.#server, "close");
  }
}

/** Writes the same bytes again and again, as fast as they are taken. */
export function writeForever(socket: Socket, bytes: Uint8Array): void {
  const write = (): void => {
    while (!socket.destroyed && socket.writable) {
      if (!socket.write(bytes)) return;
    }
  };
  socket.on("drain", write);
  write();
}
