import { connect, type ClientHttp2Session } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectPlan } from "../load-plan.ts";
import { socketAddress } from "./socket-address.ts";
import type { TlsOptionsOf } from "./tls-options.ts";

/** Bytes of one answer that a server may send before it hears that they were taken; the protocol's 64 KiB are few. */
const STREAM_WINDOW_BYTES = 1024 * 1024;

/** The same of all answers on a connection. */
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;

/** What Node keeps for a connection before it refuses streams; its 10 MB are less than many large requests. */
const SESSION_MEGABYTES = 256;

/** Begins a connection to an origin; over TLS it breaks when the server does not speak HTTP/2. */
export function connectHttp2(
  origin: URL,
  place: ConnectPlan,
  tlsOptionsOf: TlsOptionsOf,
): ClientHttp2Session {
  const isTls = origin.protocol === "https:";
  const session = connect(origin, {
    createConnection: () =>
      isTls ? tlsSocket(origin, place, tlsOptionsOf) : connectTcp(socketAddress(origin, place)),
    settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
    maxSessionMemory: SESSION_MEGABYTES,
  });
  session.once("connect", () => {
    if (session.destroyed) return;
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    // Not earlier: Node aborts where the socket of a session is gone before the session has begun.
    if (isTls && session.alpnProtocol !== "h2") session.destroy(new Error(noHttp2(origin)));
  });
  return session;
}

function tlsSocket(origin: URL, place: ConnectPlan, tlsOptionsOf: TlsOptionsOf): Socket {
  const socket = connectTls({
    ...tlsOptionsOf(origin.hostname),
    ...socketAddress(origin, place),
    ALPNProtocols: ["h2"],
  });
  socket.prependOnceListener("error", (error: NodeJS.ErrnoException) => {
    // A server that speaks other protocols only may end the handshake with this alert.
    if (error.code === "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL") {
      error.message = noHttp2(origin);
    }
  });
  return socket;
}

function noHttp2({ origin }: URL): string {
  return `${origin} does not offer HTTP/2 (ALPN h2); --http2=false asks for HTTP/1.1`;
}
