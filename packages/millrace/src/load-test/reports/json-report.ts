import type { LoadReport, VegetaMetrics } from "../../core/load/load-report.ts";

const HTML = /[<>&\u2028\u2029]/gu;

/** vegeta's JSON report, byte by byte: one line, members in its order, what means something in HTML escaped. */
export function jsonReport(report: VegetaMetrics | LoadReport): string {
  const { latencies, ...rest } = report;
  const { total, mean, max, min } = latencies;
  const document = {
    latencies: {
      total,
      mean,
      "50th": latencies["50th"],
      "90th": latencies["90th"],
      "95th": latencies["95th"],
      "99th": latencies["99th"],
      max,
      min,
    },
    buckets: rest.buckets,
    bytes_in: rest.bytes_in,
    bytes_out: rest.bytes_out,
    earliest: rest.earliest,
    latest: rest.latest,
    end: rest.end,
    duration: rest.duration,
    wait: rest.wait,
    requests: rest.requests,
    rate: rest.rate,
    throughput: rest.throughput,
    success: rest.success,
    status_codes: rest.status_codes,
    errors: rest.errors,
    millrace: "millrace" in rest ? rest.millrace : undefined,
  };
  const text = JSON.stringify(document).replace(
    HTML,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `${text}\n`;
}
