import { createHmac } from "node:crypto";
import type { PredictionLogConfig } from "../../packages/millrace/src/config/config.ts";
import type { ExposureRow } from "../../packages/millrace/src/core/predictions/exposure-row.ts";
import type { LoggedPrediction } from "../../packages/millrace/src/core/predictions/logged-prediction.ts";
import type { PredictionRow } from "../../packages/millrace/src/core/predictions/prediction-row.ts";
import { rowsOf } from "../../packages/millrace/src/core/predictions/log-rows.ts";
import { RingPredictionLog } from "../../packages/millrace/src/serve/prediction-log/ring-prediction-log.ts";
import { TestSegmentWriter } from "../../packages/millrace/src/serve/prediction-log/test-segment-writer.ts";
import { GraphWorld, type GraphWorldOptions } from "./graph-world.ts";
import { LOG } from "./plane-parts.ts";

/** Predictions that are not yet written: few, so that a test fills it soon. */
export const LOG_WORLD_RECORDS_MAX = 400;

export function hashOf(text: string): string {
  return createHmac("sha256", "key of the tests").update(text).digest("hex").slice(0, 32);
}

/** A `GraphWorld` whose predictions are logged, and read back from their blocks. */
export interface LogWorld {
  readonly world: GraphWorld;
  readonly log: RingPredictionLog;
  readonly writer: TestSegmentWriter;
  /** What people were told. */
  readonly lines: readonly string[];
  /** What was logged since it was asked before. */
  readonly records: () => LoggedPrediction[];
  /** Their rows in the table. */
  readonly rows: () => PredictionRow[];
  /** Exposures since they were asked before. */
  readonly exposures: () => ExposureRow[];
}

export async function openLogWorld(
  models: GraphWorldOptions["models"],
  config: Partial<PredictionLogConfig> = {},
): Promise<LogWorld> {
  const writer = new TestSegmentWriter();
  const lines: string[] = [];
  const write = (_fields: object, text: string): void => void lines.push(text);
  const logs: RingPredictionLog[] = [];
  const world: GraphWorld = new GraphWorld({
    openLog: (metrics, clock) => {
      const log = new RingPredictionLog({
        config: { ...LOG, ...config },
        openWriter: (events) => writer.open(events),
        hash: hashOf,
        node: "p0-test",
        clock,
        log: { debug: write, info: write, warn: write, error: write },
        metrics: metrics.predictionLog,
        recordsMax: LOG_WORLD_RECORDS_MAX,
      });
      logs.push(log);
      return log;
    },
  });
  await world.load(models);
  const records = (): LoggedPrediction[] => {
    world.clock.advanceMs(20);
    return writer.takePredictions();
  };
  const rows = (): PredictionRow[] => records().flatMap((record) => rowsOf(record, "p0-test"));
  const exposures = (): ExposureRow[] => {
    world.clock.advanceMs(20);
    return writer.takeExposures();
  };
  return { world, log: logs[0] as RingPredictionLog, writer, lines, records, rows, exposures };
}
