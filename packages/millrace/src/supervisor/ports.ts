import type { Config, ServerConfig } from "../config/config.ts";
import { holdPort, type HeldPort } from "./hold-port.ts";

/** Ports that serve processes share, kept from other supervisors. */
export interface HeldPorts {
  readonly taken: Pick<ServerConfig, "httpPort" | "grpcPort">;
  release(): Promise<void>;
}

/** @throws StartError when one is in use. */
export async function holdPorts(server: ServerConfig): Promise<HeldPorts> {
  const { host, httpPort, grpcPort } = server;
  const held: HeldPort[] = [];
  const release = async (): Promise<void> => {
    await Promise.all(held.map((port) => port.release()));
  };
  try {
    const http = await holdPort(host, httpPort, "server.httpPort");
    held.push(http);
    const httpOnly = { httpPort: http.port, grpcPort };
    if (grpcPort === "off") return { taken: httpOnly, release };
    const grpc = await holdPort(host, grpcPort, "server.grpcPort");
    held.push(grpc);
    return { taken: { ...httpOnly, grpcPort: grpc.port }, release };
  } catch (error) {
    await release();
    throw error;
  }
}

const PORT_KEYS = ["httpPort", "grpcPort", "metricsPort", "controlPort"] as const;

/**
 * Ports that were taken stay taken while the file asks for what it asked for at the start, whatever that was: a free
 * one, or a default one that was in use.
 */
export function keepPorts(next: Config, asked: ServerConfig, taken: Config): Config {
  const kept = PORT_KEYS.filter((key) => next.server[key] === asked[key]);
  const ports = Object.fromEntries(kept.map((key) => [key, taken.server[key]]));
  return { ...next, server: { ...next.server, ...ports } };
}
