import type { ConnectPlan } from "../load-plan.ts";

/** Where a connection goes to, and where it comes from, as `connect()` of node:net and node:tls take it. */
export interface SocketAddress {
  readonly host: string;
  readonly port: number;
  /** Of a Unix socket; host and port mean nothing then. */
  readonly path?: string;
  readonly localAddress?: string;
}

/** @param url of http or https; brackets of IPv6 do not belong to the host. */
export function socketAddress(url: URL, { unixSocket, localAddress }: ConnectPlan): SocketAddress {
  const { hostname } = url;
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  return {
    host: hostname.startsWith("[") ? hostname.slice(1, -1) : hostname,
    port,
    ...(unixSocket !== undefined && { path: unixSocket }),
    ...(localAddress !== undefined && { localAddress }),
  };
}
