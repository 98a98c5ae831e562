import { readMetrics } from "../../test/e2e/prometheus.ts";
import { predictRequest, startBenchServer } from "../graphs/bench-server.ts";
import { measureLoads, type LoadRow } from "../graphs/load-rows.ts";
import { FULL } from "../graphs/plan.ts";
import { medianOf } from "../percentiles.ts";
import { ScratchFolder } from "../serving/scratch-folder.ts";

/** What does the log take from the throughput of a small model, on the one core that it shares with the server? */
export interface LogThroughput {
  /** Medians of the rounds, by connections. */
  readonly rows: readonly {
    readonly connections: number;
    readonly offPerSecond: number;
    readonly fullPerSecond: number;
    /** 1 − full/off, the median of the rounds' own ratios. */
    readonly cost: number;
  }[];
  readonly answers: number;
  /** Rows the log took, and rows it left out, of all answers. */
  readonly logged: number;
  readonly dropped: number;
  readonly loads: readonly LoadRow[];
}

interface Round {
  readonly loads: readonly LoadRow[];
  readonly logged: number;
  readonly dropped: number;
}

const CONNECTIONS = [1, 64] as const;

/** Each round starts both servers anew, one after the other, so that neither writes while the other is measured. */
export async function measureLogThroughput(rounds: number, loadMs: number): Promise<LogThroughput> {
  const pairs: { readonly off: Round; readonly full: Round }[] = [];
  for (let i = 0; i < rounds; i++) {
    const full = () => measureRound("log-full.yaml", loadMs);
    const off = () => measureRound("log-off.yaml", loadMs);
    // Turn by turn the other one first: machines get slower and faster.
    if (i % 2 === 0) pairs.push({ off: await off(), full: await full() });
    else {
      const first = await full();
      pairs.push({ off: await off(), full: first });
    }
  }
  const rows = CONNECTIONS.map((connections, index) => {
    const rate = (round: Round): number => round.loads[index]?.answersPerSecond ?? NaN;
    return {
      connections,
      offPerSecond: medianOf(pairs.map(({ off }) => rate(off))),
      fullPerSecond: medianOf(pairs.map(({ full }) => rate(full))),
      cost: medianOf(pairs.map(({ off, full }) => 1 - rate(full) / rate(off))),
    };
  });
  const fulls = pairs.map(({ full }) => full);
  const sum = (pick: (round: Round) => number): number =>
    fulls.reduce((total, round) => total + pick(round), 0);
  return {
    rows,
    answers: sum(({ loads }) => loads.reduce((total, { n }) => total + n, 0)),
    logged: sum(({ logged }) => logged),
    dropped: sum(({ dropped }) => dropped),
    loads: pairs.flatMap(({ off, full }) => [...off.loads, ...full.loads]),
  };
}

async function measureRound(file: string, loadMs: number): Promise<Round> {
  const scratch = new ScratchFolder();
  const request = predictRequest("iris", [[5.1, 3.5, 1.4, 0.2]]);
  const server = await startBenchServer("serve", `../prediction-log/${file}`, request, scratch);
  try {
    const loads = await measureLoads(
      server.httpPort,
      CONNECTIONS.map((connections) => ({ name: file, request, connections })),
      { ...FULL, loadRounds: 1, loadMs, warmUpMs: 2000 },
      scratch,
    );
    const metrics = await readMetrics(server.metricsUrl);
    return {
      loads,
      logged: metrics.sum("predlog_rows_total", { service: "iris" }),
      dropped: metrics.sum("predlog_dropped_total", {}),
    };
  } finally {
    await server.stop();
  }
}
