import { parseDuration } from "../config/duration.ts";
import { readMoment } from "../core/feedback/read-moment.ts";
import { describeEvaluation } from "../evaluation/describe-evaluation.ts";
import { evaluateService } from "../evaluation/evaluate-service.ts";
import { evaluationJson } from "../evaluation/evaluation-json.ts";
import { GROUP_NAMES_MAX, type EvaluationRequest } from "../evaluation/evaluation-request.ts";
import { UsageError, type Command, type CommandLine } from "./command.ts";
import { QUERY_OPTIONS, withQueryEngine } from "./query-engine-of.ts";

const SINCE = "7d";
const WINDOW = "14d";
const BY = "model,version";

export const evaluate: Command = {
  summary: "compare the predictions of a service with what was reported of them",
  usage: "evaluate <service> [--since 7d] [--until TIME] [--by region,version] [--json]",
  options: {
    "since=7d": `predictions from then on: a time, or how long ago; default ${SINCE}`,
    "until=TIME": "predictions before then; default now",
    "by=NAMES": `a result for each value of these: columns of the log, attributes, features; default ${BY}`,
    "window=14d": `a label counts when it came within this time of its prediction; default ${WINDOW}`,
    "min-count=N": "leaves out groups with fewer labelled predictions; default 1",
    ...QUERY_OPTIONS,
    json: "prints everything as JSON",
  },
  examples: [
    "evaluate iris",
    "evaluate iris --since 30d --by region,version --min-count 100",
    "evaluate prices --since 2026-11-01T00:00:00Z --until 2026-11-08T00:00:00Z --json",
  ],
  run(line, io) {
    const request = readRequest(line, Date.now());
    return withQueryEngine(line, io, async (engine) => {
      const evaluation = await evaluateService(engine, request);
      io.stdout.write(
        line.options.has("json")
          ? `${JSON.stringify(evaluationJson(evaluation))}\n`
          : describeEvaluation(evaluation),
      );
      return evaluation.kind === undefined ? 1 : 0;
    });
  },
};

/** @throws UsageError */
export function readRequest(
  { positionals, options }: CommandLine,
  nowMs: number,
): EvaluationRequest {
  const [service, extra] = positionals;
  if (service === undefined || extra !== undefined) throw new UsageError("expected one service");
  const sinceMs = momentOf("since", options.get("since") ?? SINCE, nowMs);
  const until = options.get("until");
  const untilMs = until === undefined ? nowMs : momentOf("until", until, nowMs);
  if (sinceMs >= untilMs) throw new UsageError("--since: expected a time before --until");
  const by = [...new Set((options.get("by") ?? BY).split(",").map((name) => name.trim()))];
  if (by.includes("") || by.length > GROUP_NAMES_MAX) {
    throw new UsageError(`--by: expected 1 to ${GROUP_NAMES_MAX} names with commas between them`);
  }
  const window = options.get("window") ?? WINDOW;
  const windowMs = parseDuration(window);
  if (windowMs === undefined || windowMs === 0)
    throw new UsageError(wrong("window", window, "14d"));
  const count = options.get("min-count") ?? "1";
  if (!/^\d{1,9}$/.test(count)) {
    throw new UsageError(`--min-count: expected a whole number, found ${JSON.stringify(count)}`);
  }
  return { service, sinceMs, untilMs, windowMs, by, countMin: Number(count) };
}

/** A time, or a duration before now. */
function momentOf(option: string, text: string, nowMs: number): number {
  const agoMs = parseDuration(text);
  if (agoMs !== undefined) return nowMs - agoMs;
  const us = readMoment(text);
  if (us !== undefined) return Math.floor(us / 1000);
  throw new UsageError(wrong(option, text, "7d, or a time with its zone: 2026-11-21T16:00:00Z"));
}

function wrong(option: string, found: string, expected: string): string {
  return `--${option}: expected ${expected}, found ${JSON.stringify(found)}`;
}
