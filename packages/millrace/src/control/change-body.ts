import { z } from "zod";
import { parseDuration } from "../config/duration.ts";
import type { WantedChange } from "./override-changes.ts";
import { readBody } from "./read-body.ts";

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
  const parsed = readBody(oneValue, body, "the change");
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
  const parsed = readBody(manyValues, body, "the change");
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
  const written = body.length === 0 ? Buffer.from("{}") : body;
  const { reason: why, by: who } = readBody(unsetting, written, "the change");
  return { reason: why, by: who };
}
