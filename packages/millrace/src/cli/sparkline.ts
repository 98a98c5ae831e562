const UNICODE = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const ASCII = ["_", ".", "-", "=", "+", "*", "#", "@"];

/**
 * Values as heights of characters, the highest one full; a gap where there is none:
 *
 *     ▁▁▂▁▁▁▃▇█▅▂▁ ▁▁
 *
 * @param values not below 0; undefined is none.
 */
export function sparkline(
  values: readonly (number | undefined)[],
  { isUnicode }: { readonly isUnicode: boolean },
): string {
  const heights = isUnicode ? UNICODE : ASCII;
  const highest = values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
  return values
    .map((value) => {
      if (value === undefined) return " ";
      const share = highest === 0 ? 0 : value / highest;
      return heights[Math.min(heights.length - 1, Math.floor(share * heights.length))];
    })
    .join("");
}
