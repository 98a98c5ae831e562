import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
} from "node:http2";
import { connect } from "node:net";
import type { GrpcCase, Http2Case } from "./grpc-case.ts";
import type { Outcome } from "./http-peer.ts";

const UNKNOWN = "2";
const INTERNAL = "13";

/** A client that makes one call after the other, over a connection that it keeps, or sends any bytes over a new one. */
export class GrpcPeer {
  readonly #port: number;
  readonly #patienceMs: number;
  #session: ClientHttp2Session | undefined;

  constructor(port: number, patienceMs: number) {
    this.#port = port;
    this.#patienceMs = patienceMs;
  }

  send(request: GrpcCase | Http2Case): Promise<Outcome> {
    return request.kind === "grpc" ? this.#call(request) : this.#sendBytes(request);
  }

  close(): void {
    this.#session?.destroy();
  }

  async #call({ headers, body }: GrpcCase): Promise<Outcome> {
    const session = this.#openSession();
    return new Promise((resolve) => {
      const settle = (outcome: Outcome): void => {
        clearTimeout(timer);
        resolve(outcome);
      };
      const late = `no status within ${this.#patienceMs} ms`;
      const timer = setTimeout(() => {
        session.destroy();
        settle({ kind: "wrong", what: late });
      }, this.#patienceMs);
      let stream;
      try {
        stream = session.request(headers);
      } catch (error) {
        // Node's own client does not send this.
        settle({
          kind: "answered",
          label: `unsent ${String((error as NodeJS.ErrnoException).code)}`,
        });
        return;
      }
      let seen: IncomingHttpHeaders = {};
      const look = (found: IncomingHttpHeaders): void => {
        seen = { ...seen, ...found };
      };
      stream.on("response", look);
      stream.on("trailers", look);
      stream.on("error", () => undefined); // a reset: "close" tells
      stream.on("data", () => undefined);
      stream.on("close", () => settle(judge(seen, stream.rstCode)));
      stream.end(body);
    });
  }

  #openSession(): ClientHttp2Session {
    if (this.#session === undefined || this.#session.destroyed || this.#session.closed) {
      this.#session = connectHttp2(`http://127.0.0.1:${this.#port}`);
      this.#session.on("error", () => undefined); // its streams tell
    }
    return this.#session;
  }

  #sendBytes({ bytes }: Http2Case): Promise<Outcome> {
    return new Promise((resolve) => {
      const socket = connect(this.#port, "127.0.0.1");
      const timer = setTimeout(() => {
        socket.destroy();
        resolve({ kind: "wrong", what: `not closed within ${this.#patienceMs} ms` });
      }, this.#patienceMs);
      socket.on("data", () => undefined);
      socket.on("error", () => undefined); // "close" follows
      socket.on("close", () => {
        clearTimeout(timer);
        resolve({ kind: "closed" });
      });
      socket.end(bytes);
    });
  }
}

function judge(seen: IncomingHttpHeaders, rstCode: number | undefined): Outcome {
  const status = seen["grpc-status"];
  const httpStatus = Number(seen[":status"] ?? 200);
  if (httpStatus !== 200) {
    if (httpStatus >= 500) return { kind: "wrong", what: `HTTP status ${httpStatus}` };
    return { kind: "answered", label: `http ${httpStatus}` };
  }
  if (status === undefined) return { kind: "answered", label: `reset ${rstCode ?? "none"}` };
  if (status === UNKNOWN || status === INTERNAL) {
    return {
      kind: "wrong",
      what: `grpc-status ${String(status)}: ${String(seen["grpc-message"])}`,
    };
  }
  return { kind: "answered", label: `grpc ${String(status)}` };
}
