import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { MetricSnapshot } from "../core/metrics/metrics.ts";
import { PROMETHEUS_CONTENT_TYPE, prometheusText } from "../core/metrics/prometheus-text.ts";
import { createServer } from "./http/node-http.ts";
import { listenError } from "./listen.ts";

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `GET /metrics` on a port of its own, so that metrics stay readable when the data port is full.
 * @param read gathers the metrics of this process, or of all of them.
 * @throws StartError when the port cannot be had.
 */
export async function startMetricsServer(
  address: { readonly host: string; readonly port: number },
  read: () => Promise<readonly MetricSnapshot[]>,
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    if (request.url?.split("?", 1)[0] !== "/metrics" || request.method !== "GET") {
      response.writeHead(404, { "content-type": "text/plain" }).end("GET /metrics is here\n");
      return;
    }
    read().then(
      (metrics) => {
        response.writeHead(200, { "content-type": PROMETHEUS_CONTENT_TYPE });
        response.end(prometheusText(metrics));
      },
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(listenError(error, { ...address, key: "server.metricsPort" })),
    );
    server.listen(address.port, address.host, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => closeServer(server) };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
