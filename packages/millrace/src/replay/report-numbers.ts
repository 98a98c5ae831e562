/** Numbers of reports, as people read them; "–" where there is none. */

const NONE = "–";

/** `12,345` */
export function countText(count: number): string {
  return count.toLocaleString("en-US");
}

/** `97.33 %`: never rounded up to 100 or down to 0. */
export function shareText(share: number | undefined): string {
  if (share === undefined) return NONE;
  if (share === 0 || share === 1) return `${share * 100} %`;
  const percent = Math.min(99.99, Math.max(0.01, share * 100));
  return `${percent.toFixed(2)} %`;
}

/** `12.3 µs`, `4.56 ms`, `1.2 s` */
export function microsecondsText(us: number | undefined): string {
  if (us === undefined) return NONE;
  if (us < 1000) return `${us.toFixed(0)} µs`;
  return us < 1e6 ? `${(us / 1000).toFixed(2)} ms` : `${(us / 1e6).toFixed(2)} s`;
}

export function durationText(ms: number): string {
  return microsecondsText(ms * 1000);
}

/** `1,234/s` */
export function rateText(perSecond: number): string {
  return `${perSecond.toLocaleString("en-US", { maximumSignificantDigits: 3 })}/s`;
}

/** `2026-11-21T17:00:00Z` of a time with milliseconds: these are left out where they are zero. */
export function timeText(time: string): string {
  return time.replace(".000Z", "Z");
}
