import { escapeHtml } from "../../core/escape-html.ts";

/** A question of the first screen and its answer. */
export interface PageCard {
  readonly question: string;
  readonly kind: "good" | "bad" | "warn" | "plain";
  readonly answer: string;
  /** Behind the answer, smaller. */
  readonly unit?: string;
  /** HTML. */
  readonly details: string;
}

export function pageCard({ question, kind, answer, unit, details }: PageCard): string {
  const small = unit === undefined ? "" : ` <small>${escapeHtml(unit)}</small>`;
  return `<section class="card is-${kind}">
<h2>${escapeHtml(question)}</h2>
<p class="answer${kind === "plain" ? "" : ` ${kind}`}">${escapeHtml(answer)}${small}</p>
${details}
</section>`;
}

/** Names on the left, figures on the right. */
export function figureLines(lines: readonly (readonly [name: string, figure: string])[]): string {
  const items = lines.map(
    ([name, figure]) => `<li><span>${escapeHtml(name)}</span><b>${escapeHtml(figure)}</b></li>`,
  );
  return `<ul>${items.join("\n")}</ul>`;
}
