import { z } from "zod";
import { parseDuration } from "../config/duration.ts";
import { MillraceError, PROBLEMS_MAX } from "../core/errors.ts";
import type { WantedChange } from "./override-changes.ts";

/** Paths one change may set. */
const PATHS_MAX = 100;
const REASON_CHARACTERS_MAX = 1000;
const DEPTH_MAX = 64;
const FOR_MS_MIN = 100;
const FOR_MS_MAX = 366 * 86_400_000;

const by = z.string().min(1).max(128).optional();
const reason = z.string().max(REASON_CHARACTERS_MAX).default("");
const duration = z
  .string()
  .transform((text, context) => {
    const ms = parseDuration(text);
    if (ms !== undefined && ms >= FOR_MS_MIN && ms <= FOR_MS_MAX) return ms;
    context.addIssue({ code: "custom", message: "expected a duration 100ms to 366d, such as 2h" });
    return z.NEVER;
  })
  .optional();
const value = z.json();

const oneValue = z.strictObject({ value, reason, for: duration, by });
const manyValues = z
  .strictObject({
    set: z.record(z.string(), value).default({}),
    unset: z.array(z.string()).default([]),
    reason,
    for: duration,
    by,
  })
  .superRefine(({ set, unset }, context) => {
    const count = Object.keys(set).length + unset.length;
    const both = unset.find((path) => Object.hasOwn(set, path));
    const report = (message: string): void => context.addIssue({ code: "custom", message });
    if (count === 0) report("expected at least one path in set or unset");
    if (count > PATHS_MAX) report(`found ${count} paths, expected at most ${PATHS_MAX}`);
    if (both !== undefined) report(`${JSON.stringify(both)} is in set and in unset`);
  });
const unsetting = z.strictObject({ reason, by });

export interface ChangeBody extends WantedChange {
  readonly reason: string;
  /** As the caller says it; a key's name goes before it. */
  readonly by: string | undefined;
}

/** `{"value": false, "reason": "…", "for": "2h"}`. @throws INVALID_JSON, INVALID_BODY */
export function readOneValue(path: string, body: Buffer): ChangeBody {
  const parsed = check(oneValue, body);
  return {
    set: new Map([[path, parsed.value]]),
    unset: [],
    reason: parsed.reason,
    forMs: parsed.for,
    by: parsed.by,
  };
}

/** `{"set": {"services.iris.timeout": "1s"}, "unset": ["services.iris.limits.rate"], "reason": "…"}`. @throws INVALID_JSON, INVALID_BODY */
export function readManyValues(body: Buffer): ChangeBody {
  const parsed = check(manyValues, body);
  return {
    set: new Map(Object.entries(parsed.set)),
    unset: parsed.unset,
    reason: parsed.reason,
    forMs: parsed.for,
    by: parsed.by,
  };
}

/** Nothing, or `{"reason": "…"}`. @throws INVALID_JSON, INVALID_BODY */
export function readUnsetting(body: Buffer): Pick<ChangeBody, "reason" | "by"> {
  const { reason: why, by: who } = check(unsetting, body.length === 0 ? Buffer.from("{}") : body);
  return { reason: why, by: who };
}

function check<Schema extends z.ZodType>(schema: Schema, body: Buffer): z.output<Schema> {
  const parsed = parseJson(body);
  if (isDeeperThan(parsed, DEPTH_MAX)) {
    const message = `nested too deeply, expected at most ${DEPTH_MAX} levels`;
    throw new MillraceError("INVALID_BODY", `Cannot read the change: ${message}`, {
      problems: [{ location: ["body"], message, type: "depth" }],
    });
  }
  const result = schema.safeParse(parsed);
  if (result.success) return result.data;
  const problems = result.error.issues.slice(0, PROBLEMS_MAX).map(({ path, message, code }) => ({
    location: [
      "body",
      ...path.map((segment) => (typeof segment === "number" ? segment : String(segment))),
    ],
    message: `${message.charAt(0).toLowerCase()}${message.slice(1)}`,
    type: code,
  }));
  const text = problems.map(({ location, message }) => `${location.join(".")}: ${message}`);
  throw new MillraceError("INVALID_BODY", `Cannot read the change: ${text.join("; ")}`, {
    problems,
  });
}

/** The schema's own check of JSON would run out of stack. */
function isDeeperThan(value: unknown, depthMax: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depthMax === 0 || Object.values(value).some((part) => isDeeperThan(part, depthMax - 1));
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8")) as unknown;
  } catch (error) {
    const message = (error as Error).message;
    throw new MillraceError("INVALID_JSON", `Cannot read the body: it is not JSON, ${message}`, {
      problems: [{ location: ["body"], message, type: "json" }],
    });
  }
}
