import type { Config } from "../config/config.ts";
import type { MetricSnapshot } from "../core/metrics/metrics.ts";
import type { Logger } from "../ports/logger.ts";
import { StartError } from "../serve/listen.ts";
import { startMetricsServer, type MetricsServer } from "../serve/metrics-server.ts";

/**
 * Opens the metrics port. A port nobody chose gives way when it is taken: a second Millrace on one machine
 * should start, and says where its metrics are.
 */
export async function openMetricsPort(
  { server }: Config,
  isDefaultPort: boolean,
  read: () => Promise<readonly MetricSnapshot[]>,
  log: Logger,
): Promise<MetricsServer | undefined> {
  const { host, metricsPort } = server;
  if (metricsPort === "off") return undefined;
  try {
    return await startMetricsServer({ host, port: metricsPort }, read);
  } catch (error) {
    if (!isDefaultPort || !(error instanceof StartError)) throw error;
    const metrics = await startMetricsServer({ host, port: 0 }, read);
    log.warn(
      { wanted: metricsPort, port: metrics.port },
      `Metrics are on port ${metrics.port}: the default ${metricsPort} is in use, server.metricsPort chooses another`,
    );
    return metrics;
  }
}
