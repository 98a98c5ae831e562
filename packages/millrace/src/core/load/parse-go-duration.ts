const MS_PER_UNIT = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
} as const;

const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|[uµμ]s|ms|s|m|h)/g;

/**
 * A duration as Go programs write it: `1m30s`, `1.5h`, `250us`, and `0`.
 * @returns ms, with fractions; undefined when `text` is none.
 */
export function parseGoDuration(text: string): number | undefined {
  if (text === "0") return 0;
  let ms = 0;
  const rest = text.replace(PART, (_part, amount: string, unit: keyof typeof MS_PER_UNIT) => {
    ms += Number(amount) * MS_PER_UNIT[unit];
    return "";
  });
  return text === "" || rest !== "" ? undefined : ms;
}
