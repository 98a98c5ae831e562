import { escapeHtml } from "../../core/escape-html.ts";

/** A picture of a report's page, as the page's script draws it. Everything in it is data: numbers and plain texts. */
export interface PageChart {
  /** Of the place where it is drawn; letters and dashes. */
  readonly id: string;
  readonly title: string;
  /** What it shows, in a sentence, for those who do not see it. */
  readonly summary: string;
  readonly note?: string;
  /** Share of the page's width. */
  readonly width: "whole" | "half" | "third";
  readonly x: PageChartAxis;
  readonly y: PageChartAxis;
  /** Rising. */
  readonly xs: readonly number[];
  readonly series: readonly PageChartSeries[];
  readonly marks?: readonly PageChartMark[];
}

export interface PageChartAxis {
  readonly unit: "seconds" | "percentile" | "ms" | "rate" | "count";
  readonly label: string;
  /** Of the scale; a picture whose y is one that can be either has a button. */
  readonly scale: "linear" | "log" | "linear-or-log" | "log-or-linear";
  /** Where it begins, when nothing is looked at closer. */
  readonly from?: number;
}

export interface PageChartSeries {
  readonly label: string;
  /** Custom property of the page's style, without its dashes. */
  readonly color: string;
  /** `stack`: on top of the one before it. */
  readonly shape: "line" | "thin" | "dashed" | "area" | "stack" | "points";
  readonly values: readonly (number | null)[];
}

/** A line at a value, or a band to the value `until`. */
export interface PageChartMark {
  readonly axis: "x" | "y";
  readonly at: number;
  readonly until?: number;
  readonly label: string;
  readonly color: string;
}

/** The places of a page's pictures; the script fills them. */
export function chartPlaces(charts: readonly PageChart[]): string {
  if (charts.length === 0) return "";
  return `<section class="charts" aria-label="Pictures">
<noscript><p class="note whole">The pictures need scripts; the tables below do not.</p></noscript>
${charts.map(chartFigure).join("\n")}
</section>`;
}

/** Four digits, which is more than a picture shows; null where there is no value. */
export function chartNumber(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : null;
}

function chartFigure({ id, title, summary, note, width }: PageChart): string {
  return `<figure class="chart ${width}">
<figcaption><h3>${escapeHtml(title)}</h3></figcaption>
<div class="plot" id="${id}" role="img" aria-label="${escapeHtml(summary)}"></div>
${note === undefined ? "" : `<p class="note">${escapeHtml(note)}</p>`}
</figure>`;
}
