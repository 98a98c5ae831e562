import { createServer } from "node:net";
import type { Config } from "../config/config.ts";

/**
 * A gRPC port nobody chose gives way when it is taken, as the metrics port does: a second Millrace on one
 * machine should start.
 * @returns the configuration with a free port in place of a default one that is in use.
 */
export async function withFreeGrpcPort(config: Config, isDefaultPort: boolean): Promise<Config> {
  const { host, grpcPort } = config.server;
  if (grpcPort === "off" || !isDefaultPort || !(await isInUse(host, grpcPort))) return config;
  return { ...config, server: { ...config.server, grpcPort: 0 } };
}

/** Only that: what else is wrong with an address is told by those who listen. */
function isInUse(host: string, port: number): Promise<boolean> {
  const probe = createServer((socket) => socket.destroy());
  return new Promise((resolve) => {
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "EADDRINUSE"));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(false)));
  });
}
