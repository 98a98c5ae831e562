import { connect, type ClientHttp2Session } from "node:http2";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectPlan } from "../load-plan.ts";
import { socketAddress, type SocketAddress } from "./socket-address.ts";
import type { TlsOptionsOf } from "./tls-options.ts";

/** Bytes of one answer that a server may send before it hears that they were taken; the protocol's 64 KiB are few. */
const STREAM_WINDOW_BYTES = 1024 * 1024;

/** The same of all answers on a connection. */
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;

/** What Node keeps for a connection before it refuses streams; its 10 MB are less than many large requests. */
const SESSION_MEGABYTES = 256;

export interface Http2Link {
  readonly session: ClientHttp2Session;
  readonly socket: Socket;
}

/** A server of the targets: scheme, host and port. A name is looked up once; its connections all go to one address. */
export class Http2Origin {
  readonly #url: URL;
  readonly #isTls: boolean;
  readonly #tlsOptionsOf: TlsOptionsOf;
  #address: SocketAddress;

  constructor(url: URL, place: ConnectPlan, tlsOptionsOf: TlsOptionsOf) {
    this.#url = url;
    this.#isTls = url.protocol === "https:";
    this.#tlsOptionsOf = tlsOptionsOf;
    this.#address = socketAddress(url, place);
  }

  /** Begins a connection; over TLS it breaks when the server does not speak HTTP/2. */
  connect(): Http2Link {
    const socket = this.#isTls ? this.#connectTls() : connectTcp(this.#address);
    const session = connect(this.#url, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
      maxSessionMemory: SESSION_MEGABYTES,
    });
    session.once("connect", () => {
      if (session.destroyed) return;
      const { remoteAddress = "" } = socket;
      if (isIP(remoteAddress) !== 0) this.#address = { ...this.#address, host: remoteAddress };
      session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
      // Not earlier: Node aborts where the socket of a session is gone before the session has begun.
      if (this.#isTls && session.alpnProtocol !== "h2") session.destroy(new Error(this.#noHttp2));
    });
    return { session, socket };
  }

  #connectTls(): Socket {
    const socket = connectTls({
      ...this.#tlsOptionsOf(this.#url.hostname),
      ...this.#address,
      ALPNProtocols: ["h2"],
    });
    socket.prependOnceListener("error", (error: NodeJS.ErrnoException) => {
      // A server that speaks other protocols only may end the handshake with this alert.
      if (error.code === "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL") {
        error.message = this.#noHttp2;
      }
    });
    return socket;
  }

  get #noHttp2(): string {
    const { origin } = this.#url;
    return `${origin} does not offer HTTP/2 (ALPN h2); --http2=false asks for HTTP/1.1`;
  }
}
