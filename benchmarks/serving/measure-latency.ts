import { measureLoad, warmUp, type LoadRun } from "./measure-load.ts";
import { ServerProcess } from "./server-process.ts";
import { COMMANDS, type ServerName } from "./servers.ts";
import { verifyAnswers } from "./verify-answers.ts";

export interface LatencyRow {
  readonly server: ServerName;
  readonly requestsPerSecond: number;
  readonly run: LoadRun;
}

/** So many that a stall of a second at the lower rates finds a free one for every request. */
const CONNECTIONS = 256;

/** Open loop at each rate in turn, one server after the other. */
export async function measureLatency(
  servers: readonly ServerName[],
  rates: readonly number[],
  times: { readonly warmupMs: number; readonly durationMs: number },
): Promise<LatencyRow[]> {
  const rows: LatencyRow[] = [];
  for (const name of servers) {
    const server = await ServerProcess.start(COMMANDS[name]);
    try {
      await verifyAnswers(server.port);
      await warmUp(server);
      for (const requestsPerSecond of rates) {
        const run = await measureLoad(server, {
          ...times,
          connections: CONNECTIONS,
          arrivals: { kind: "open", requestsPerSecond },
          requestsMax: 1_000_000,
        });
        rows.push({ server: name, requestsPerSecond, run });
      }
    } finally {
      await server.stop();
    }
  }
  return rows;
}
