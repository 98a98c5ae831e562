import { escapeHtml } from "../../core/escape-html.ts";
import type { LoadEnvironment } from "../../core/load/load-report.ts";
import { countText } from "./load-figures.ts";

/** A line of a list of facts; `code` is shown letter by letter, each of its lines on a line. */
export type PageFact =
  | { readonly name: string; readonly text: string }
  | { readonly name: string; readonly code: string };

export function factList(facts: readonly PageFact[]): string {
  const lines = facts.map((fact) => {
    const value =
      "text" in fact
        ? escapeHtml(fact.text)
        : fact.code
            .split("\n")
            .map((line) => `<code>${escapeHtml(line)}</code>`)
            .join("<br>");
    return `<dt>${fact.name}</dt><dd>${value}</dd>`;
  });
  return `<dl class="facts">${lines.join("\n")}</dl>`;
}

export function environmentFacts(environment: LoadEnvironment): PageFact[] {
  const { cores, cpu, memory_mib: memoryMib, load_average: loadAverage } = environment;
  return [
    { name: "Processor", text: `${cpu}, ${countText(cores)} ${cores === 1 ? "core" : "cores"}` },
    { name: "Memory", text: `${countText(memoryMib)} MiB` },
    { name: "Load before", text: `${loadAverage.toFixed(2)} over a minute` },
    {
      name: "Software",
      text: `Millrace ${environment.millrace}, Node ${environment.node}, ${environment.os}`,
    },
  ];
}
