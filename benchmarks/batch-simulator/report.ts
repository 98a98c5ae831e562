import { machineLine, type Machine } from "../machine.ts";
import { LOADS, SERIES, type Cell, type Series } from "./cells.ts";
import { independentFigures } from "./independent-figures.ts";
import { POLICY_NAMES } from "./policies.ts";
import type { Outcome } from "./simulate.ts";
import { targetsOf } from "./targets.ts";
import { capacityPerS } from "./workload.ts";

export function writeReport(machine: Machine, cells: readonly Cell[]): string {
  const lines = [
    "# Batch simulator",
    "",
    "Made by `node --conditions=@millrace/source benchmarks/batch-simulator/run.ts`: simulated time, one executor,",
    "one row a request; what is measured is which requests a policy runs together and which it refuses.",
    "",
    `- Machine (its speed does not matter): ${machineLine(machine)}`,
    `- n: ${cells.reduce((sum, cell) => sum + cell.outcomes.Millrace.offered, 0)} requests for each policy`,
    "",
    "![Goodput and p99 by load](batch-simulator.svg)",
    "",
    "Load is relative to what full batches get done. A cell is p50/p99 ms of the answered requests, **goodput** as the part",
    "of the offered requests that was answered within the objective, and mean rows of a batch.",
    ...SERIES.flatMap((series) => ["", ...seriesTable(series, cells)]),
    "",
    "## Targets",
    "",
    ...targetsOf(cells).map(({ text, misses }) => {
      return `- ${misses.length === 0 ? "met" : `**missed**: ${misses.join("; ")}`} — ${text}`;
    }),
    "",
    "## Is the simulator right?",
    "",
    "The same rules in a simulation written apart from this one, with other random numbers. Goodput in percent, here and",
    "there. The rule of trim is another one there, see the README of the benchmark.",
    "",
    ...comparisonTable(cells),
  ];
  return `${lines.join("\n")}\n`;
}

function seriesTable({ model, arrivals }: Series, cells: readonly Cell[]): string[] {
  const perS = Math.round(capacityPerS(model));
  return [
    `## ${model.name} model, ${arrivals}`,
    "",
    `A run of n rows takes ${model.perRowMs}·n + ${model.fixedMs} ms, at most ${model.rowsMax} rows, objective ${model.sloMs} ms, capacity ${perS} requests/s.`,
    "",
    row(["load", ...POLICY_NAMES]),
    row(["---", ...POLICY_NAMES.map(() => "---")]),
    ...LOADS.map((load) => {
      const cell = find(cells, { model: model.name, arrivals, load });
      return row([
        load.toFixed(2),
        ...POLICY_NAMES.map((name) => outcomeText(cell.outcomes[name])),
      ]);
    }),
  ];
}

function outcomeText({ p50Ms, p99Ms, goodputPercent, batchRows }: Outcome): string {
  return `${short(p50Ms)}/${short(p99Ms)} **${goodputPercent.toFixed(1)}** b${batchRows.toFixed(1)}`;
}

function short(ms: number): string {
  return ms < 100 ? ms.toFixed(1) : ms.toFixed(0);
}

function comparisonTable(cells: readonly Cell[]): string[] {
  const figures = independentFigures().filter(({ load }) => load >= 0.6);
  const keys = [
    ...new Set(
      figures.map(({ model, arrivals, load }) => `${model} ${arrivals} ${load.toFixed(2)}`),
    ),
  ];
  return [
    row(["", "greedy", "CORK", "early drop", "Millrace"]),
    row(["---", "---", "---", "---", "---"]),
    ...keys.map((key) => {
      const [model = "", arrivals = "", load = ""] = key.split(" ");
      const cell = find(cells, { model, arrivals, load: Number(load) });
      const theirs = figures.filter(
        (figure) =>
          figure.model === model && figure.arrivals === arrivals && figure.load === Number(load),
      );
      const compared = theirs.map(({ policy, goodputPercent }) => {
        return `${cell.outcomes[policy].goodputPercent.toFixed(1)} / ${goodputPercent.toFixed(1)}`;
      });
      return row([key, ...compared, cell.outcomes.Millrace.goodputPercent.toFixed(1)]);
    }),
  ];
}

function find(
  cells: readonly Cell[],
  wanted: { readonly model: string; readonly arrivals: string; readonly load: number },
): Cell {
  const cell = cells.find(
    ({ model, arrivals, load }) =>
      model.name === wanted.model && arrivals === wanted.arrivals && load === wanted.load,
  );
  if (cell === undefined) throw new Error(`No cell ${JSON.stringify(wanted)}`);
  return cell;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
