import { LoadInputError } from "../load-input-error.ts";
import type { VegetaTally } from "../../core/load/vegeta-metrics.ts";
import { hdrPlot } from "./hdr-plot.ts";
import { histogramReport } from "./histogram-report.ts";
import { jsonReport } from "./json-report.ts";
import { parseBuckets } from "./parse-buckets.ts";
import { textReport } from "./text-report.ts";

/** Reports of results, as vegeta has them. */
export type ReportType =
  | { readonly kind: "text" }
  | { readonly kind: "json" }
  | { readonly kind: "hist"; readonly bucketsNs: readonly number[] }
  | { readonly kind: "hdrplot" };

/** @param text `text`, `json`, `hist[0,2ms,4ms]` or `hdrplot`. @throws LoadInputError for anything else. */
export function parseReportType(text: string): ReportType {
  if (text === "text" || text === "json" || text === "hdrplot") return { kind: text };
  if (text.startsWith("hist")) {
    return { kind: "hist", bucketsNs: parseBuckets(text.slice("hist".length), "--type hist") };
  }
  throw new LoadInputError(
    `--type: expected text, json, hist[0,2ms,4ms] or hdrplot, found ${JSON.stringify(text)}`,
  );
}

/** @param tally with the buckets of the type, where it has any. */
export function reportOf(type: ReportType, tally: VegetaTally): string {
  switch (type.kind) {
    case "text":
      return textReport(tally.metrics());
    case "json":
      return jsonReport(tally.metrics());
    case "hist":
      return histogramReport(tally.metrics());
    case "hdrplot":
      return hdrPlot(tally.requests, (share) => tally.latencies.quantile(share));
  }
}
