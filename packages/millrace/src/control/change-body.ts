import { z } from "zod";
import { parseDuration } from "../config/duration.ts";
import { MillraceError, PROBLEMS_MAX } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";

/** Paths one change may set. */
const PATHS_MAX = 100;
const REASON_CHARACTERS_MAX = 1000;
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
const manyValues = z.strictObject({
  set: z
    .record(z.string(), value)
    .refine((set) => Object.keys(set).length > 0, "expected at least one path")
    .refine(
      (set) => Object.keys(set).length <= PATHS_MAX,
      `found too many paths, expected at most ${PATHS_MAX}`,
    ),
  reason,
  for: duration,
  by,
});
const unsetting = z.strictObject({ reason, by });

export interface ChangeBody {
  readonly values: ReadonlyMap<string, JsonValue>;
  readonly reason: string;
  readonly forMs: number | undefined;
  /** As the caller says it; a key's name goes before it. */
  readonly by: string | undefined;
}

/** `{"value": false, "reason": "…", "for": "2h"}`. @throws INVALID_JSON, INVALID_BODY */
export function readOneValue(path: string, body: Buffer): ChangeBody {
  const parsed = check(oneValue, body);
  return {
    values: new Map([[path, parsed.value]]),
    reason: parsed.reason,
    forMs: parsed.for,
    by: parsed.by,
  };
}

/** `{"set": {"services.iris.timeout": "1s"}, "reason": "…", "for": "2h"}`. @throws INVALID_JSON, INVALID_BODY */
export function readManyValues(body: Buffer): ChangeBody {
  const parsed = check(manyValues, body);
  return {
    values: new Map(Object.entries(parsed.set)),
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
  const result = schema.safeParse(parseJson(body));
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
