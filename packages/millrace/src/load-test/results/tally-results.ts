import { VegetaTally } from "../../core/load/vegeta-metrics.ts";
import type { StoredResult } from "./stored-result.ts";

/** Counts the results of files as vegeta does. @param bucketsNs of a histogram of latencies, where one is asked for. */
export async function tallyResults(
  results: AsyncIterable<readonly StoredResult[]>,
  bucketsNs?: readonly number[],
): Promise<VegetaTally> {
  let beginNs = 0n;
  let tally: VegetaTally | undefined;
  for await (const piece of results) {
    for (const { timestampNs, latencyNs, code, bytesOut, bytesIn, error } of piece) {
      if (tally === undefined) {
        beginNs = timestampNs;
        tally = new VegetaTally(beginNs, bucketsNs);
      }
      const atNs = Number(timestampNs - beginNs);
      tally.add({ atNs, latencyNs, code, bytesOut, bytesIn, error });
    }
  }
  return tally ?? new VegetaTally(0n, bucketsNs);
}
