import { connect } from "node:tls";
import type { ConnectPlan, TlsPlan } from "../load-plan.ts";
import { connectFailure } from "./connect-failure.ts";
import { socketAddress } from "./socket-address.ts";
import { tlsOptions } from "./tls-options.ts";

/** A server that has said nothing by then is not there. */
const ANSWER_MS_MAX = 10_000;

/**
 * Which protocol a client that speaks both gets: over TLS HTTP/2 where the server offers it, else HTTP/1.1. In clear
 * nothing can be negotiated, and HTTP/2 has to be asked for.
 * @throws LoadInputError for certificates that cannot be used; Error with what hinders a connection.
 */
export async function negotiateProtocol(
  url: string,
  tls: TlsPlan,
  place: ConnectPlan,
): Promise<"http1" | "http2"> {
  const target = new URL(url);
  if (target.protocol !== "https:") return "http1";
  const options = tlsOptions(tls)(target.hostname);
  const { promise, resolve, reject } = Promise.withResolvers<"http1" | "http2">();
  const socket = connect({
    ...options,
    ...socketAddress(target, place),
    ALPNProtocols: ["h2", "http/1.1"],
  });
  const fail = (why: string): void => reject(new Error(why));
  socket.setTimeout(ANSWER_MS_MAX, () => fail(`no answer within ${ANSWER_MS_MAX / 1000}s`));
  socket.on("error", (error: Error) => fail(connectFailure(error)));
  socket.on("close", () => fail("connection closed by the server"));
  socket.on("secureConnect", () => resolve(socket.alpnProtocol === "h2" ? "http2" : "http1"));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
