import type { ReleaseEvent } from "../core/release/release-report.ts";
import { timeFigure } from "./figures.ts";
import { wrapText } from "./wrap-text.ts";

const EVENTS_MAX = 5;

/** What happened lately, the newest first. */
export function eventLines(events: readonly ReleaseEvent[], width: number): readonly string[] {
  if (events.length === 0) return [];
  const shown = events.slice(0, EVENTS_MAX).flatMap(({ atMs, by, what, why }) => {
    const time = `  ${timeFigure(atMs)}  `;
    const text = `${what}, by ${by}${why === "" ? "" : `: ${why}`}`;
    const lines = text.split("\n").flatMap((line) => wrapText(line, width - time.length));
    return lines.map((line, index) => `${index === 0 ? time : " ".repeat(time.length)}${line}`);
  });
  const more = events.length - EVENTS_MAX;
  return ["events", ...shown, ...(more > 0 ? [`  … and ${more} before that`] : [])];
}
