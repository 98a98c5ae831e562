import type { LoadReport } from "../../core/load/load-report.ts";
import { LoadInputError } from "../load-input-error.ts";

/** Forms of the part `millrace` that can be read. */
const FORMAT = 1;

/** Of a report; runs of any length have at most 3,600. */
const WINDOWS_MAX = 3_600;

const SPREAD = ["count", "mean_ms", "min_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "p999_ms"];

/** Members that something is computed from, and those of theirs that are numbers. */
const NUMBERS: Readonly<Record<string, readonly string[]>> = {
  starts: ["due", "sent", "dropped", "unanswered"],
  response: [...SPREAD, "p9999_ms", "max_ms"],
  service: [...SPREAD, "p9999_ms", "max_ms"],
  lag: [...SPREAD, "p9999_ms", "max_ms"],
  environment: ["cores", "memory_mib", "load_average"],
};

const COUNTS = ["from_ms", "due", "dropped", "ok", "failed", "answered"];
const WINDOW = [...COUNTS, "p50_ms", "p90_ms", "p99_ms", "max_ms"];

const TEXTS = ["name", "started", "protocol", "arrivals"];
const LISTS = ["targets", "problems", "objectives", "timeline"];

/**
 * Reads what `millrace load --json` has written.
 * @param name of the file, for errors. @throws LoadInputError for anything else.
 */
export function readLoadReport(text: string, name: string): LoadReport {
  const report = membersOf(parsed(text, name));
  const facts = membersOf(report?.["millrace"]);
  if (report?.["latencies"] === undefined) {
    throw new LoadInputError(`Cannot read ${name}: it is no report of millrace load --json`);
  }
  if (facts === undefined) {
    throw new LoadInputError(
      `Cannot read ${name}: it is a report of vegeta, which does not have what millrace load --json has`,
    );
  }
  if (facts["format"] !== FORMAT) {
    throw new LoadInputError(
      `Cannot read ${name}: its format is ${JSON.stringify(facts["format"])}, this Millrace reads ${FORMAT}`,
    );
  }
  const wrong = wrongFact(facts);
  if (wrong === undefined) return report as unknown as LoadReport;
  throw new LoadInputError(`Cannot read ${name}: "millrace.${wrong}" is missing, or no such thing`);
}

/** What cannot be computed with. */
function wrongFact(facts: Members): string | undefined {
  const objects = Object.entries(NUMBERS);
  return (
    objects.find(([member, names]) => !hasNumbers(facts[member], names))?.[0] ??
    ["window_ms", "warmup_ms", "duration_ms"].find((member) => !isNumber(facts[member])) ??
    TEXTS.find((member) => typeof facts[member] !== "string") ??
    LISTS.find((member) => !Array.isArray(facts[member])) ??
    wrongList(facts as unknown as Lists)
  );
}

type Lists = Pick<LoadReport["millrace"], "targets" | "problems" | "timeline">;

/** Whatever is in them. */
function wrongList({ targets, problems, timeline }: Lists): string | undefined {
  if (!targets.every((target) => typeof target === "string")) return "targets";
  if (!problems.every((problem) => typeof membersOf(problem)?.["code"] === "string"))
    return "problems";
  const areWindows = timeline.every((window) => hasNumbers(window, WINDOW));
  return areWindows && timeline.length <= WINDOWS_MAX ? undefined : "timeline";
}

function hasNumbers(value: unknown, names: readonly string[]): boolean {
  const members = membersOf(value);
  return members !== undefined && names.every((name) => isNumber(members[name]));
}

/** None that a run cannot have: below 0, or beyond what a double says. */
function isNumber(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

type Members = Readonly<Record<string, unknown>>;

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new LoadInputError(`Cannot read ${name}: it is no JSON`);
  }
}

function membersOf(value: unknown): Members | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return value as Members;
}
