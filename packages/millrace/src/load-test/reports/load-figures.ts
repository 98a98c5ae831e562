/** Figures of load tests, as people read them. */

const NONE = "–";

/** Three digits: `412 µs`, `4.81 ms`, `41.2 ms`, `1.25 s`, and `2 min 5 s` from two minutes; "–" for NaN. */
export function latencyText(ms: number): string {
  if (Number.isNaN(ms)) return NONE;
  const us = ms * 1000;
  if (us < 999.5) return `${digits(us)} µs`;
  if (ms < 999.5) return `${digits(ms)} ms`;
  return ms < 119_500 ? `${digits(ms / 1000)} s` : durationText(ms);
}

/** Of a test: `500 ms`, `12.5 s`, `30 s`, `2 min 5 s`, `1 h 30 min`. */
export function durationText(ms: number): string {
  if (!Number.isFinite(ms)) return "no end";
  if (ms > 0 && ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Number((ms / 1000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 7200) return twoParts(Math.floor(seconds / 60), "min", seconds % 60, "s");
  return twoParts(Math.floor(seconds / 3600), "h", Math.floor((seconds % 3600) / 60), "min");
}

function twoParts(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** `12,345` */
export function countText(count: number): string {
  return count.toLocaleString("en-US", { maximumFractionDigits: 0 });
}

/** `1,234/s`, `0.5/s` */
export function rateText(perSecond: number): string {
  const number =
    perSecond >= 1000 ? Math.round(perSecond).toLocaleString("en-US") : digits(perSecond);
  return `${number}/s`;
}

/** `99.33 %`: never rounded up to 100 nor down to 0. */
export function shareText(share: number): string {
  if (Number.isNaN(share)) return NONE;
  if (share === 0 || share >= 1) return `${Math.round(share * 100)} %`;
  return `${Number(Math.min(99.99, Math.max(0.01, share * 100)).toFixed(2))} %`;
}

/** `512 B`, `1.5 KiB`, `12 MiB` */
export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${Math.round(bytes)} B`;
  const power = Math.min(4, Math.floor(Math.log2(bytes) / 10));
  const unit = ["B", "KiB", "MiB", "GiB", "TiB"][power] ?? "";
  return `${digits(bytes / 1024 ** power)} ${unit}`;
}

/** `2026-11-21 17:00:00 UTC` of an RFC 3339 time; the text itself where it is none. */
export function timeText(time: string): string {
  return time.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/, "$1 $2 UTC");
}

/** Three that say something, and all those of a larger number. */
function digits(value: number): string {
  return String(Number(value >= 100 ? value.toFixed(0) : value.toPrecision(3)));
}
