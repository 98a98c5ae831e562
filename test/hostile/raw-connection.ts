import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A connection that a test writes to byte by byte, reads from when it likes, and leaves as it likes. */
export class RawConnection implements Disposable {
  readonly socket: Socket;
  #text = "";
  readonly closed: Promise<unknown>;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("error", () => undefined); // "close" follows
    // Not once(): it fails when there is an error before.
    this.closed = new Promise((resolve) => {
      socket.once("close", resolve);
    });
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    await once(socket, "connect");
    return new RawConnection(socket);
  }

  /** Writes and waits until the system has taken it. */
  write(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.socket.write(bytes, () => resolve());
    });
  }

  /** Writes one byte at a time, each in a packet of its own. */
  async dribble(text: string): Promise<void> {
    for (const byte of Buffer.from(text)) await this.write(Uint8Array.of(byte));
  }

  /** Starts to read. */
  read(): void {
    this.socket.on("data", (chunk: Buffer) => (this.#text += chunk.toString("latin1")));
  }

  get text(): string {
    return this.#text;
  }

  /** Everything that came until the server closed the connection. */
  async readToEnd(): Promise<string> {
    this.read();
    const ended = new Promise((resolve) => {
      this.socket.once("end", resolve);
    });
    await Promise.race([this.closed, ended]);
    return this.#text;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
