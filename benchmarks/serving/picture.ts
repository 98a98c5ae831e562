import { chartSvg, type Bar, type Panel } from "../bar-chart.ts";
import { rounded } from "../markdown-table.ts";
import { CLIENT_RULES } from "./measure-overload.ts";
import type { Measurements } from "./measurements.ts";
import { PEERS } from "./peers/peers.ts";
import { IMAGE_CONNECTIONS } from "./plan.ts";
import { goodputCell, label } from "./report.ts";
import { latencyOf, overloadOf, runtimeRowsPerSecond, throughputOf } from "./summary.ts";

/** The run at a glance; servers in the order of the report, extras left out. */
export function pictureSvg(found: Measurements): string {
  const panels = [
    throughputPanel(found, "iris", 64, "iris, 64 connections: answers/s, more is better"),
    throughputPanel(found, "iris", 1, "iris, 1 connection: answers/s, more is better"),
    throughputPanel(found, "mlp512", 64, "mlp512, 64 connections: answers/s, more is better"),
    convPanel(found),
    latencyPanel(found, 1000),
    ...Object.keys(CLIENT_RULES).map((rule) => overloadPanel(found, rule)),
  ];
  const title = "Serving the same model on one core";
  return chartSvg(
    title,
    panels.filter(({ bars }) => bars.length > 0),
  );
}

function throughputPanel(
  found: Measurements,
  model: string,
  connections: number,
  title: string,
): Panel {
  const rows = throughputOf(found.throughput, model).filter(
    (row) => row.connections === connections,
  );
  const values = rows.map((row) => ({ server: row.server, value: row.answersPerSecond }));
  return { title, bars: barsOf(values, rounded) };
}

function convPanel(found: Measurements): Panel {
  const title = `conv, ${IMAGE_CONNECTIONS} connections: images/s, more is better`;
  const { bars } = throughputPanel(found, "conv", IMAGE_CONNECTIONS, title);
  const ceiling = runtimeRowsPerSecond(found, "conv", 1);
  if (bars.length === 0 || Number.isNaN(ceiling)) return { title, bars };
  const bare = { label: "bare runtime", value: ceiling, text: rounded(ceiling), isOurs: false };
  return { title, bars: [...bars, bare] };
}

function latencyPanel(found: Measurements, rate: number): Panel {
  const rows = latencyOf(found.latency, "iris").filter((row) => row.requestsPerSecond === rate);
  const values = rows.map((row) => ({ server: row.server, value: row.p99Ms }));
  const title = `iris at ${rate} requests/s: p99 in ms, less is better`;
  return {
    title,
    bars: barsOf(values, (value) => (Number.isFinite(value) ? `${rounded(value)} ms` : "–")),
  };
}

function overloadPanel(found: Measurements, rule: string): Panel {
  const rows = overloadOf(found.overload, "iris").filter((row) => row.rule === rule);
  const values = rows.map((row) => ({ server: row.server, value: row.goodput }));
  const title = `At 2 × capacity, client ${rule}: goodput`;
  const bars = barsOf(values, rounded).map((bar) => {
    const summary = rows.find(({ server }) => label(server) === bar.label);
    return { ...bar, text: goodputCell(summary) };
  });
  return { title, bars, fullValue: 1 };
}

function barsOf(
  values: readonly { readonly server: string; readonly value: number }[],
  write: (value: number) => string,
): Bar[] {
  return PEERS.filter(({ kind }) => kind === "main").flatMap(({ name }) =>
    values
      .filter(({ server }) => server === name)
      .map(({ value }) => ({
        label: label(name),
        value,
        text: write(value),
        isOurs: name === "millrace",
      })),
  );
}
