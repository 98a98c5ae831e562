import { countText, latencyText, rateText } from "../load-test/reports/load-figures.ts";
import { barPicture } from "./bar-picture.ts";
import { sparkline } from "./sparkline.ts";
import { painted, type TerminalStyle } from "./terminal-style.ts";

/** What a load test is doing. Times in ms. */
export type LivePhase =
  | { readonly kind: "connecting" }
  | { readonly kind: "warm-up"; readonly leftMs: number }
  /** `durationMs` is Infinity where it has no end. */
  | { readonly kind: "measuring"; readonly passedMs: number; readonly durationMs: number }
  | { readonly kind: "draining" };

/** What is shown of it. */
export interface LiveState {
  readonly title: string;
  readonly phase: LivePhase;
  /** Of the last second; undefined before the first. */
  readonly second: LiveSecond | undefined;
  /** p99 of each of the last seconds in ms, the newest last; undefined where nothing was answered. */
  readonly p99sMs: readonly (number | undefined)[];
  readonly codes: Readonly<Record<string, number>>;
  readonly underWay: number;
  readonly dropped: number;
}

export interface LiveSecond {
  /** A second. */
  readonly due: number;
  readonly sent: number;
  readonly answered: number;
  /** In ms; undefined where nothing was answered. */
  readonly latency:
    { readonly p50: number; readonly p99: number; readonly max: number } | undefined;
}

/** A line as it is written, and how many characters of it are seen. */
export interface LiveLine {
  readonly text: string;
  readonly length: number;
}

type Part = readonly [text: string, color?: "green" | "red" | undefined];

const BAR_CELLS = 30;
const NAME_CELLS = 10;
/** Different codes that are named. */
const CODES_MAX = 6;

/** The lines of the live view, each narrower than the terminal. */
export function liveFrame(state: LiveState, style: TerminalStyle): LiveLine[] {
  const { second } = state;
  const rows: Part[][] = [[[state.title]], progress(state, style)];
  if (second !== undefined) {
    rows.push(rates(second), latencies(second), ...picture(state, style));
    rows.push(codes(state), counts(state));
  }
  // A character in the last column may move the cursor on.
  return rows.map((parts) => fitted(parts, style.width - 1, style));
}

function progress({ phase, underWay }: LiveState, style: TerminalStyle): Part[] {
  switch (phase.kind) {
    case "connecting":
      return [["connecting"]];
    case "warm-up":
      return [[`warming up, ${secondsText(phase.leftMs)} left`]];
    case "draining":
      return [[`waiting for ${countText(underWay)} ${underWay === 1 ? "answer" : "answers"}`]];
    case "measuring":
      break;
  }
  const { passedMs, durationMs } = phase;
  if (durationMs === Infinity) return [[`${secondsText(passedMs)}, until it is interrupted`]];
  const share = Math.min(1, passedMs / durationMs);
  const bar = barPicture(share, {
    cells: Math.max(4, Math.min(BAR_CELLS, style.width - 20)),
    isUnicode: style.isUnicode,
  });
  return [[`${bar} ${Math.floor(share * 100)} %, ${secondsText(durationMs - passedMs)} left`]];
}

function rates({ due, sent, answered }: LiveSecond): Part[] {
  return [
    [named("rate")],
    [`asked ${rateText(due)}, `],
    [`sent ${rateText(sent)}`, sent < due * 0.99 ? "red" : undefined],
    [`, answered ${rateText(answered)}`],
  ];
}

function latencies({ latency }: LiveSecond): Part[] {
  if (latency === undefined) return [[named("response")], ["no answer in the last second"]];
  const { p50, p99, max } = latency;
  return [
    [named("response")],
    [`p50 ${latencyText(p50)}, p99 ${latencyText(p99)}, max ${latencyText(max)}`],
  ];
}

/** Of the last minute, as much as there is place for. */
function picture({ p99sMs }: LiveState, style: TerminalStyle): Part[][] {
  const range = p99sMs.filter((p99) => p99 !== undefined);
  if (range.length < 2) return [];
  const legend = `  ${latencyText(Math.min(...range))} to ${latencyText(Math.max(...range))}`;
  const cells = style.width - 1 - NAME_CELLS - legend.length;
  if (cells < 1) return [];
  return [[[named("p99")], [sparkline(p99sMs.slice(-cells), style)], [legend]]];
}

function codes({ codes: counted }: LiveState): Part[] {
  const most = Object.entries(counted).toSorted(([, a], [, b]) => b - a);
  const shown = most.slice(0, CODES_MAX).toSorted(([a], [b]) => place(a) - place(b));
  const others = most.slice(CODES_MAX).reduce((sum, [, count]) => sum + count, 0);
  const parts = shown.map(([code, count], at): Part => {
    const isGood = code >= "200" && code < "400";
    const name = code === "0" ? "no answer" : code;
    return [`${at === 0 ? "" : ", "}${name} ${countText(count)}`, isGood ? "green" : "red"];
  });
  if (parts.length === 0) return [[named("codes")], ["none yet"]];
  if (others > 0) parts.push([`, others ${countText(others)}`, "red"]);
  return [[named("codes")], ...parts];
}

function counts({ underWay, dropped }: LiveState): Part[] {
  return [
    [named("under way")],
    [countText(underWay)],
    [`, dropped ${countText(dropped)}`, dropped > 0 ? "red" : undefined],
  ];
}

/** No answer comes last. */
function place(code: string): number {
  return code === "0" ? Infinity : Number(code);
}

function named(name: string): string {
  return name.padEnd(NAME_CELLS);
}

/** `8 s`, `2:05` */
function secondsText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000 - 0.001));
  if (seconds < 120) return `${seconds} s`;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Cut at the edge, before it is painted. */
function fitted(parts: readonly Part[], width: number, style: TerminalStyle): LiveLine {
  let left = width;
  const texts = parts.map(([whole, color]) => {
    const text = whole.slice(0, left);
    left -= text.length;
    return text === "" ? "" : painted(text, color, style);
  });
  return { text: texts.join(""), length: width - left };
}
