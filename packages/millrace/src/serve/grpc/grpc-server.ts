import { createServer, createSecureServer, constants } from "node:http2";
import type {
  Http2Server,
  ServerHttp2Session,
  ServerHttp2Stream,
  IncomingHttpHeaders,
} from "node:http2";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../core/clock.ts";
import { ERRORS, MillraceError } from "../../core/errors.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Auth } from "../auth.ts";
import type { TlsFiles } from "../read-tls.ts";
import { RpcStream } from "./rpc-stream.ts";
import type { RpcTable } from "./rpc.ts";

export interface GrpcServerOptions {
  readonly rpcs: RpcTable;
  readonly auth: Auth;
  readonly clock: Clock;
  /** Most bytes of one message, also decompressed. */
  readonly messageBytesMax: number;
  /** Undefined serves without TLS. */
  readonly tls: TlsFiles | undefined;
  readonly log: Logger;
  /** Told of every call that is over; undefined when nobody wants to know. */
  readonly onCall: ((call: RpcStream, error: MillraceError | undefined) => void) | undefined;
}

/** Calls on one connection at the same time; a client keeps the next ones back. */
const STREAMS_MAX = 1_000;

/** Bytes a client may send ahead of us, per call and per connection: one round trip then carries a large tensor. */
const STREAM_WINDOW_BYTES = 1024 * 1024;
const SESSION_WINDOW_BYTES = 8 * 1024 * 1024;

const FRAME_BYTES_MAX = 256 * 1024;
const HEADER_BYTES_MAX = 16 * 1024;

/** Pings one connection may send in `PING_WINDOW_MS`: clients measure their bandwidth with a few a second. */
const PINGS_MAX = 300;
const PING_WINDOW_MS = 10_000;

/** Silence after which the system asks whether a client is still there. */
const KEEP_ALIVE_MS = 60_000;

/** How long a client that does not answer pings is waited for before its connection is closed for new calls. */
const GOAWAY_MS_MAX = 1_000;

/**
 * gRPC over Node's HTTP/2: calls to methods, and the manners of a connection. It knows nothing of inference.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export class GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    const { tls } = options;
    const settings = {
      maxConcurrentStreams: STREAMS_MAX,
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxFrameSize: FRAME_BYTES_MAX,
      maxHeaderListSize: HEADER_BYTES_MAX,
      enablePush: false,
    };
    const common = {
      settings,
      // Replies that wait for a slow client count too; beyond it new calls of that connection are refused.
      maxSessionMemory: Math.ceil((4 * options.messageBytesMax) / 1e6) + 16,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      noDelay: true,
    };
    this.#server =
      tls === undefined ? createServer(common) : createSecureServer({ ...common, ...tls });
    this.#server.on("session", (session: ServerHttp2Session) => this.#addSession(session));
    this.#server.on("stream", (stream, headers) => this.#call(stream, headers));
    this.#server.on("sessionError", () => undefined); // the client's doing; its connection is closed
  }

  /**
   * @param isShared do several processes share the port?
   * @returns the port that was taken. @throws what the system says.
   */
  async listen(host: string, port: number, isShared: boolean): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port, ...(isShared ? { reusePort: true } : {}) }, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Takes no new connection and no new call; resolves when the calls in flight are answered. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const session of this.#sessions) this.#sendAway(session);
    await closed;
  }

  /** Cuts every connection. */
  closeAllConnections(): void {
    for (const session of this.#sessions) session.destroy();
  }

  #addSession(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    session.on("close", () => this.#sessions.delete(session));
    session.on("error", () => undefined); // as above
    session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    this.#limitPings(session);
  }

  #limitPings(session: ServerHttp2Session): void {
    const { clock } = this.#options;
    let windowStartMs = clock.nowMs();
    let count = 0;
    session.on("ping", () => {
      if (clock.nowMs() - windowStartMs > PING_WINDOW_MS) {
        windowStartMs = clock.nowMs();
        count = 0;
      }
      if (++count <= PINGS_MAX) return;
      // gRPC clients know this text, and ping less often when they connect again.
      session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from("too_many_pings"));
      session.destroy();
    });
  }

  /**
   * Two steps, so that no call is lost: first "open no more calls", which still takes those on their way; when
   * the client has seen that, for its pong comes after it, "none later than this one".
   */
  #sendAway(session: ServerHttp2Session): void {
    if (session.closed || session.destroyed) return;
    session.goaway(constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1);
    const cancel = this.#options.clock.schedule(GOAWAY_MS_MAX, () => session.close());
    session.ping(() => {
      cancel();
      session.close();
    });
  }

  #call(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    if (!isGrpc(headers)) {
      stream.on("error", () => undefined);
      const status = headers[":method"] === "POST" ? 415 : 405;
      stream.respond({ ":status": status, "content-type": "text/plain" }, { endStream: true });
      if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
      return;
    }
    const { rpcs, auth, clock, messageBytesMax } = this.#options;
    const call = new RpcStream(stream, headers, { clock, messageBytesMax, onEnd: this.#onEnd });
    try {
      const rpc = rpcs.get(call.path);
      if (rpc === undefined) throw unknownMethod(call.path);
      call.caller = auth.check(headers.authorization, rpc.scope);
      call.start(rpc);
    } catch (error) {
      call.fail(error);
    }
  }

  readonly #onEnd = (call: RpcStream, error: MillraceError | undefined): void => {
    const { log, onCall } = this.#options;
    if (error !== undefined && ERRORS[error.code].status === 500) {
      const { code, message, cause } = error;
      const fields = {
        err: cause ?? error,
        code,
        method: call.path,
        predictionId: call.predictionId,
      };
      log.error(fields, message);
    }
    onCall?.(call, error);
  };
}

/** `application/grpc`, or with the name of the message format. */
function isGrpc(headers: IncomingHttpHeaders): boolean {
  const type = headers["content-type"];
  if (headers[":method"] !== "POST" || type === undefined) return false;
  return type === "application/grpc" || type === "application/grpc+proto";
}

function unknownMethod(path: string): MillraceError {
  const method = JSON.stringify(path.slice(0, 256));
  return new MillraceError("ROUTE_NOT_FOUND", `Cannot find the method ${method}: it is not served`);
}
