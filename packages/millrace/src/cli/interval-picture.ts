/** A difference with what it may be; null is open. */
export interface DrawnInterval {
  readonly low: number | null;
  readonly value: number;
  readonly high: number | null;
}

interface Marks {
  readonly line: string;
  readonly zero: string;
  /** Where the interval goes over zero. */
  readonly crossing: string;
  readonly value: string;
  readonly low: string;
  readonly high: string;
  readonly openLow: string;
  readonly openHigh: string;
}

const UNICODE: Marks = {
  line: "─",
  zero: "│",
  crossing: "┼",
  value: "●",
  low: "├",
  high: "┤",
  openLow: "◄",
  openHigh: "►",
};

const ASCII: Marks = {
  line: "-",
  zero: "|",
  crossing: "+",
  value: "o",
  low: "[",
  high: "]",
  openLow: "<",
  openHigh: ">",
};

/** Length of an axis whose interval is open, by the place of its value. */
const OPEN_BEHIND = 1.25;

/**
 * An interval on an axis with no difference in its middle, as wide as its farthest end:
 *
 *     ·····├──────┼───●──────────┤
 *
 * @param cells characters, odd.
 */
export function intervalPicture(
  { low, value, high }: DrawnInterval,
  { cells, isUnicode }: { readonly cells: number; readonly isUnicode: boolean },
): string {
  const marks = isUnicode ? UNICODE : ASCII;
  const middle = (cells - 1) / 2;
  // What is open goes on behind the value.
  const farthest = low === null || high === null ? OPEN_BEHIND * Math.abs(value) : Math.abs(value);
  const span = Math.max(Math.abs(low ?? 0), farthest, Math.abs(high ?? 0)) || 1;
  const at = (position: number): number => middle + Math.round((position / span) * middle);
  const from = low === null ? 0 : at(low);
  const to = high === null ? cells - 1 : at(high);
  const line = Array.from({ length: cells }, (_, cell) => {
    const isInside = cell >= from && cell <= to;
    if (cell === middle) return isInside ? marks.crossing : marks.zero;
    return isInside ? marks.line : " ";
  });
  line[from] = low === null ? marks.openLow : marks.low;
  line[to] = high === null ? marks.openHigh : marks.high;
  line[at(value)] = marks.value;
  return line.join("");
}
