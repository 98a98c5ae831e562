import { once } from "node:events";
import { connect, type AddressInfo, type Socket } from "node:net";
import { text as textOf } from "node:stream/consumers";
import { setImmediate as nextTurn } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { LoopLoad } from "../../../core/overload/loop-load.ts";
import { TestClock } from "../../../core/test-clock.ts";
import { Auth } from "../../auth.ts";
import { AccessLog } from "../access-log.ts";
import { answerClientError } from "../client-error.ts";
import type { ExchangeHandler } from "../exchange.ts";
import type { FastLaneOptions } from "./fast-lane-options.ts";
import { FrontServer } from "./front-server.ts";
import { KEEP_ALIVE_MS } from "./lane-connection.ts";

/** A front server and what a test reaches of it. */
export interface Front {
  readonly server: FrontServer;
  readonly clock: TestClock;
  /** Fields of every line in the two logs. */
  readonly logged: object[];
  readonly connect: () => Promise<Client>;
}

/** Echoes the body, so that replies can be told from each other. */
export const echo: ExchangeHandler = async ({ body }) => ({
  status: 200,
  headers: [["content-type", "text/plain"]],
  body: Buffer.from(body).toString(),
});

/** A server whose lane has `handler`; what is handed over is echoed by Node's parser, with the header `x-by: node`. */
export async function front(
  handler: ExchangeHandler = echo,
  options: Partial<FastLaneOptions> = {},
  clock = new TestClock(),
): Promise<Front> {
  const logged: object[] = [];
  const note = (fields: object): void => void logged.push(fields);
  const log = { debug: note, info: note, warn: note, error: note };
  const lane: FastLaneOptions = {
    routes: [
      { url: "/predict", handler },
      { url: "/v2/models/:model/infer", handler },
    ],
    auth: new Auth([]),
    clock,
    log,
    accessLog: new AccessLog("errors", log, clock),
    bodyBytesMax: 1_000_000,
    isDraining: () => false,
    admit: () => undefined,
    shed: () => undefined,
    needsHead: () => false,
    load: new LoopLoad(),
    busyMs: () => 0,
    objectiveMs: () => 100,
    ...options,
  };
  const server = new FrontServer(
    { keepAliveTimeout: KEEP_ALIVE_MS },
    (request, response) => {
      const answer = (body: string): void => {
        response.writeHead(200, { "x-by": "node" }).end(body);
      };
      void textOf(request).then(answer, () => undefined); // the client has gone
    },
    lane,
  );
  server.on("clientError", answerClientError);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { server, clock, logged, connect: () => Client.open(port) };
}

export interface Reply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A raw connection that reads replies by their length. */
export class Client {
  readonly socket: Socket;
  #unread = "";
  #isClosed = false;
  #wake = (): void => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#unread += chunk.toString("latin1");
      this.#wake();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#isClosed = true;
      this.#wake();
    });
    onTestFinished(() => void socket.destroy());
  }

  static async open(port: number): Promise<Client> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    return new Client(socket);
  }

  async write(bytes: string | Uint8Array): Promise<void> {
    await new Promise((resolve) => this.socket.write(bytes, resolve));
  }

  async closed(): Promise<void> {
    while (!this.#isClosed) await this.#more();
  }

  async reply(): Promise<Reply> {
    for (;;) {
      const reply = this.#takeReply();
      if (reply !== undefined) return reply;
      if (this.#isClosed) throw new Error(`closed after ${JSON.stringify(this.#unread)}`);
      await this.#more();
    }
  }

  #takeReply(): Reply | undefined {
    const headEnd = this.#unread.indexOf("\r\n\r\n");
    if (headEnd < 0) return undefined;
    const [first = "", ...lines] = this.#unread.slice(0, headEnd).split("\r\n");
    const headers = new Map(
      lines.map((line) => {
        const [name = "", value = ""] = line.split(/: (.*)/s);
        return [name.toLowerCase(), value];
      }),
    );
    const status = Number(first.split(" ")[1]);
    if (headers.get("transfer-encoding") === "chunked") return this.#takeChunked(status, headers);
    const end = headEnd + 4 + Number(headers.get("content-length") ?? 0);
    if (this.#unread.length < end) return undefined;
    const body = this.#unread.slice(headEnd + 4, end);
    this.#unread = this.#unread.slice(end);
    return { status, headers, body };
  }

  /** Node's parser echoes in one chunk. */
  #takeChunked(status: number, headers: ReadonlyMap<string, string>): Reply | undefined {
    const [all, body = ""] =
      /^.*?\r\n\r\n(?:[\da-f]+\r\n(.*?)\r\n)?0\r\n\r\n/s.exec(this.#unread) ?? [];
    if (all === undefined) return undefined;
    this.#unread = this.#unread.slice(all.length);
    return { status, headers, body };
  }

  #more(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }
}

export function post(body: string, lines: readonly string[] = [], path = "/predict"): string {
  const head = [`POST ${path} HTTP/1.1`, "host: a", ...lines, `content-length: ${body.length}`];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

export function isFromNode({ headers }: Reply): boolean {
  return headers.get("x-by") === "node";
}

/** Until what was written has gone through the server, which is in this process. */
export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await nextTurn();
}
