import { basename, extname, resolve } from "node:path";
import { parseDuration } from "../config/duration.ts";
import { parseShare } from "../config/share.ts";
import type { CandidateName } from "../replay/candidate.ts";
import type { CompareChoice } from "../replay/choose-comparator.ts";
import { UsageError, type CommandIo, type CommandLine } from "./command.ts";
import { loadComparator } from "./load-comparator.ts";
import { readTime } from "./read-time.ts";

/** What a command line asks to be replayed. */
export interface ReplayOrder {
  readonly service: string;
  readonly candidate: CandidateName;
  /** As written. */
  readonly candidateText: string;
  readonly fromUs: number;
  readonly untilUs: number;
  readonly speed: number | "max";
  /** Requests; Infinity is all. */
  readonly limit: number;
  readonly concurrency: number;
  readonly compare: CompareChoice;
  readonly withErrors: boolean;
  /** From 0 to 1; undefined demands nothing. */
  readonly agreementMin: number | undefined;
  /** Absolute path of the page. */
  readonly output: string | undefined;
}

export const REPLAY_OPTIONS = {
  "service=NAME": "service whose logged requests are replayed",
  "candidate=MODEL": "model or service of the file, a version of it as iris@2, or model.onnx",
  "since=24h": "how long ago it begins, or when: 2026-11-20T12:00:00Z; default 24h",
  "until=TIME": "when it ends, likewise; default: now",
  "speed=max":
    "1: at the pace of then, 10: ten times as fast, max: as fast as it goes; default max",
  "limit=N": "requests to replay at most, the oldest first; default: all",
  "concurrency=N": "requests under way at a time; default 32, at a pace 1000",
  "compare=HOW":
    "equal, label, tolerance, top-k or ./file.ts; default: label where the candidate names classes, else tolerance",
  "tolerance=1e-3": "absolute and relative distance of numbers that agree; default 1e-3",
  "k=5": "classes that --compare top-k looks at; default 5",
  "include-errors": "replays requests that failed too",
  "min-agreement=99%": "ends with 1 unless the interval of the agreement is above it",
  "output=report.html": "writes the report as a page that needs no network",
  json: "prints the report as JSON",
} as const;

const SINCE = "24h";
const CONCURRENCY = 32;
/** At a pace what is slow is to be seen, not waited for. */
const CONCURRENCY_AT_A_PACE = 1000;
const CONCURRENCY_MAX = 100_000;
const SPEED_MAX = 1_000_000;
const TOLERANCE = "1e-3";
const K = "5";

/** @param nowMs since 1970-01-01 UTC. @throws UsageError for what is missing or wrong. */
export async function readReplayOrder(
  line: CommandLine,
  io: CommandIo,
  nowMs: number,
): Promise<ReplayOrder> {
  const { options } = line;
  const service = mandatory(options, "service");
  const candidateText = mandatory(options, "candidate");
  const speed = readSpeed(options.get("speed") ?? "max");
  const fromMs =
    readTime("since", options.get("since"), nowMs) ?? nowMs - (parseDuration(SINCE) ?? 0);
  const untilMs = readTime("until", options.get("until"), nowMs) ?? nowMs;
  if (fromMs >= untilMs) throw new UsageError("--since: expected a time before --until");
  const concurrencyDefault = speed === "max" ? CONCURRENCY : CONCURRENCY_AT_A_PACE;
  const output = options.get("output");
  return {
    service,
    candidate: readCandidate(candidateText, io.cwd),
    candidateText,
    fromUs: fromMs * 1000,
    untilUs: untilMs * 1000,
    speed,
    limit: readCount(options, "limit", Number.MAX_SAFE_INTEGER) ?? Infinity,
    concurrency: readCount(options, "concurrency", CONCURRENCY_MAX) ?? concurrencyDefault,
    compare: await readCompare(options, io.cwd),
    withErrors: options.has("include-errors"),
    agreementMin: readAgreement(options.get("min-agreement")),
    output: output === undefined ? undefined : resolve(io.cwd, output),
  };
}

type Options = CommandLine["options"];

function mandatory(options: Options, name: string): string {
  const value = options.get(name);
  if (value === undefined || value === "") throw new UsageError(`--${name} is missing`);
  return value;
}

function readCandidate(text: string, cwd: string): CandidateName {
  if (extname(text) === ".onnx") {
    return { kind: "file", path: resolve(cwd, text), name: basename(text, ".onnx") };
  }
  const [, name = text, digits] = /^(.+)@(\d+)$/.exec(text) ?? [];
  return { kind: "name", name, version: digits === undefined ? undefined : Number(digits) };
}

function readSpeed(text: string): number | "max" {
  if (text === "max") return "max";
  const speed = Number(text);
  if (text !== "" && speed > 0 && speed <= SPEED_MAX) return speed;
  throw new UsageError(`--speed: expected max or a number above 0, found ${JSON.stringify(text)}`);
}

function readCount(options: Options, name: string, max: number): number | undefined {
  const text = options.get(name);
  if (text === undefined) return undefined;
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= max) return count;
  throw new UsageError(
    `--${name}: expected a whole number from 1 to ${max}, found ${JSON.stringify(text)}`,
  );
}

async function readCompare(options: Options, cwd: string): Promise<CompareChoice> {
  const how = options.get("compare");
  const tolerance = readTolerance(options.get("tolerance") ?? TOLERANCE);
  const k = readCount(new Map([["k", options.get("k") ?? K]]), "k", 1_000_000) as number;
  switch (how) {
    case undefined:
      return { kind: "auto", tolerance };
    case "equal":
    case "label":
      return { kind: how };
    case "tolerance":
      return { kind: how, tolerance };
    case "top-k":
      return { kind: how, k };
    default:
      if (/\.m?[jt]s$/.test(how)) {
        return { kind: "custom", name: how, compare: await loadComparator(resolve(cwd, how)) };
      }
      throw new UsageError(
        `--compare: expected equal, label, tolerance, top-k or a .ts file, found ${JSON.stringify(how)}`,
      );
  }
}

function readTolerance(text: string): number {
  const tolerance = text.trim() === "" ? NaN : Number(text);
  if (tolerance >= 0 && tolerance < Infinity) return tolerance;
  throw new UsageError(
    `--tolerance: expected a number of at least 0, found ${JSON.stringify(text)}`,
  );
}

function readAgreement(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const share = parseShare(text);
  if (share !== undefined) return share;
  throw new UsageError(
    `--min-agreement: expected a share such as 99% or 0.99, found ${JSON.stringify(text)}`,
  );
}
