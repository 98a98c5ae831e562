import { parseGoDuration } from "../core/load/parse-go-duration.ts";
import { parseRate, RATE_MAX } from "../core/load/parse-rate.ts";
import type { RateProfilePlan } from "../core/load/rate-profile.ts";
import { LoadInputError } from "./load-input-error.ts";

const STEPS_MAX = 1_000;

const FORMS =
  "ramp:1000, step:200@10s,400@20s, sine:300/1m (300 up and down in 1m) or spike:2000@20s+5s (for 5s)";

/**
 * How a rate changes, from `--profile`.
 * @param rate that of `--rate`: the first one of a ramp and of steps, the mean of a sine, the one around a spike.
 * @param durationMs of the measured time; may be Infinity.
 * @throws LoadInputError
 */
export function readRateProfile(text: string, rate: number, durationMs: number): RateProfilePlan {
  const colon = text.indexOf(":");
  const kind = text.slice(0, Math.max(colon, 0));
  const rest = text.slice(colon + 1);
  switch (kind) {
    case "ramp":
      if (durationMs === Infinity) {
        throw new LoadInputError("--profile: a ramp needs an end: give it a --duration");
      }
      return { kind, from: rate, to: readRate(rest, text) };
    case "step":
      return { kind, steps: readSteps(rest, rate, durationMs) };
    case "sine":
      return readSine(rest, rate, text);
    case "spike":
      return readSpike(rest, rate, durationMs);
    default:
      throw unreadable(text);
  }
}

function readSteps(
  text: string,
  rate: number,
  durationMs: number,
): readonly { readonly fromMs: number; readonly rate: number }[] {
  const steps = [{ fromMs: 0, rate }];
  for (const part of text.split(",")) {
    const [rateText = "", fromText = ""] = splitOnce(part.trim(), "@");
    const fromMs = readTime(fromText, part, durationMs);
    const previous = steps.at(-1)?.fromMs ?? 0;
    if (fromMs <= previous) {
      throw new LoadInputError(
        `--profile: steps begin one after the other, after 0: found ${JSON.stringify(part)} behind ${previous} ms`,
      );
    }
    steps.push({ fromMs, rate: readRate(rateText, part) });
    if (steps.length > STEPS_MAX) {
      throw new LoadInputError(`--profile: more than ${STEPS_MAX - 1} steps`);
    }
  }
  return steps;
}

function readSine(text: string, mean: number, whole: string): RateProfilePlan {
  const [amplitudeText = "", periodText = ""] = splitOnce(text, "/");
  const amplitude = readRate(amplitudeText, whole);
  const periodMs = parseGoDuration(periodText);
  if (periodMs === undefined || periodMs <= 0) throw unreadable(whole);
  if (amplitude > mean) {
    throw new LoadInputError(
      `--profile: a sine swings by at most --rate: found ${amplitude}/s about ${mean}/s`,
    );
  }
  return { kind: "sine", mean, amplitude, periodMs };
}

function readSpike(text: string, base: number, durationMs: number): RateProfilePlan {
  const [peakText = "", times = ""] = splitOnce(text, "@");
  const [atText = "", forText = ""] = splitOnce(times, "+");
  const forMs = parseGoDuration(forText);
  if (forMs === undefined || forMs <= 0) throw unreadable(`spike:${text}`);
  const atMs = readTime(atText, `spike:${text}`, durationMs);
  return { kind: "spike", base, peak: readRate(peakText, `spike:${text}`), atMs, forMs };
}

function readRate(text: string, whole: string): number {
  const rate = parseRate(text);
  if (rate === undefined) throw unreadable(whole);
  if (rate <= RATE_MAX) return rate;
  throw new LoadInputError(`--profile: at most ${RATE_MAX} a second, found ${text}`);
}

/** A time within the test. */
function readTime(text: string, whole: string, durationMs: number): number {
  const atMs = parseGoDuration(text);
  if (atMs === undefined) throw unreadable(whole);
  if (atMs < durationMs) return atMs;
  throw new LoadInputError(
    `--profile: ${JSON.stringify(whole)} begins when the test is over: it lasts ${durationMs} ms`,
  );
}

function unreadable(text: string): LoadInputError {
  return new LoadInputError(`--profile: expected ${FORMS}, found ${JSON.stringify(text)}`);
}

/** The text before the first separator, and the one behind it. */
function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
