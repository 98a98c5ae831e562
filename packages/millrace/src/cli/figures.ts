/** `12.5 %`, with two digits behind the point, and two that say something where those are 0. */
export function percentFigure(share: number): string {
  const percent = share * 100;
  const rounded = Math.abs(percent) >= 0.01 ? percent.toFixed(2) : percent.toPrecision(2);
  return `${Number(rounded)} %`;
}

/** A difference of shares: `+0.21 pp`, percentage points. */
export function pointsFigure(difference: number): string {
  return `${sign(difference)}${percentFigure(difference).replace("%", "pp")}`;
}

/** Four digits, and all those of a large number before the point: `1.234`, `12,346`. */
export function figure(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(4)));
}

export function signedFigure(value: number): string {
  return `${sign(value)}${figure(value)}`;
}

/** `0.021`, `<0.0001` */
export function pValueFigure(pValue: number): string {
  return pValue < 0.0001 ? "<0.0001" : String(Number(pValue.toPrecision(2)));
}

export function countFigure(count: number): string {
  return count.toLocaleString("en");
}

/** `2026-11-21T16:00:00Z` */
export function timeFigure(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

/** A minus stands in the number itself. */
function sign(value: number): string {
  return value > 0 ? "+" : "";
}
