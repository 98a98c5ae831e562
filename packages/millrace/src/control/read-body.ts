import type { z } from "zod";
import { MillraceError, PROBLEMS_MAX } from "../core/errors.ts";

const DEPTH_MAX = 64;

/**
 * A body as its schema has it.
 * @param what it is, for the messages: `the change`.
 * @throws INVALID_JSON, INVALID_BODY
 */
export function readBody<Schema extends z.ZodType>(
  schema: Schema,
  body: Buffer,
  what: string,
): z.output<Schema> {
  const parsed = parseJson(body);
  if (isDeeperThan(parsed, DEPTH_MAX)) {
    const message = `nested too deeply, expected at most ${DEPTH_MAX} levels`;
    throw new MillraceError("INVALID_BODY", `Cannot read ${what}: ${message}`, {
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
  throw new MillraceError("INVALID_BODY", `Cannot read ${what}: ${text.join("; ")}`, {
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
