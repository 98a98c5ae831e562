import { z } from "zod";
import { DURATION_PATTERN, DURATION_UNITS, parseDuration } from "./duration.ts";
import { parseRate, RATE_PATTERN, RATE_UNITS } from "./rate.ts";
import { parseShare, SHARE_PATTERN } from "./share.ts";
import { parseSize, SIZE_PATTERN, SIZE_UNITS } from "./size.ts";

declare module "zod" {
  /**
   * What a key says about itself beyond zod's type, default and range. `z.toJSONSchema` keeps it, and problems,
   * `config print`, the JSON Schema and the reference page read it from there.
   */
  interface GlobalMeta {
    /** What a text stands for; names its row in `KINDS` in schema-node.ts. */
    readonly kind?: Kind;
    readonly unit?: string;
    /** Allowed values in words, where a minimum and a maximum cannot say it. */
    readonly range?: string;
    /** Can it change while running? No, unless it says so. */
    readonly live?: boolean;
    /** Its value is never printed. */
    readonly secret?: boolean;
    /** Words of a later version: refused, and the problem says that. */
    readonly later?: readonly string[];
    /** A bare value there is short for an object with only this key. */
    readonly shortFor?: string;
    /** Of one of several objects to choose from: the key that only this one has, and always. */
    readonly tellingKey?: string;
  }
}

export type Kind =
  | "duration"
  | "size"
  | "share"
  | "rate"
  | "name"
  | "path"
  | "source"
  | "sha256"
  | "secret"
  | "condition"
  | "codeFile"
  | "address"
  | "headerText"
  | "step"
  | "onError";

const NAME_PATTERN = /^(?!stats$)[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Longest time that may be configured; a timer of Node.js overflows after 24 days. */
export const DAY = "1d";

export const name = z.string().regex(NAME_PATTERN).meta({ kind: "name" });
export const path = z.string().min(1).meta({ kind: "path" });
export const source = z.string().min(1).meta({ kind: "source" });

/** Of a header or a cookie: a token of RFC 9110. */
export const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/)
  .meta({ range: "a name of letters, digits and -_.!#$%&'*+^`|~, at most 128" });

/**
 * For `when` of a rule about a whole object: only asks it when every part is right. Otherwise a part that is wrong, or
 * an unknown key that is left out by then, brings a second problem.
 */
export function isSound({ issues }: z.core.ParsePayload): boolean {
  return issues.length === 0;
}

/** For objects of which at least one key must be there. */
export function isNotEmpty(object: object): boolean {
  return Object.keys(object).length > 0;
}

/** May a model or a service have this name? */
export function isName(text: string): boolean {
  return NAME_PATTERN.test(text);
}

/** Text with a unit → milliseconds between `min` and `max`. */
export function duration(min: string, max: string) {
  return measure(DURATION_PATTERN, parseDuration, [min, max]).meta({
    kind: "duration",
    unit: DURATION_UNITS,
    range: `${min} to ${max}`,
  });
}

/** Text with a unit → bytes between `min` and `max`. */
export function size(min: string, max: string) {
  return measure(SIZE_PATTERN, parseSize, [min, max]).meta({
    kind: "size",
    unit: SIZE_UNITS,
    range: `${min} to ${max}`,
  });
}

/** Percentage or ratio → ratio. */
export function share() {
  const text = z
    .string()
    .regex(SHARE_PATTERN)
    .transform((written, context) => {
      const ratio = parseShare(written);
      if (ratio !== undefined) return ratio;
      context.issues.push({ code: "custom", input: written });
      return z.NEVER;
    });
  return z
    .union([text, z.number().min(0).max(1)])
    .meta({ kind: "share", range: "0% to 100%, or 0 to 1" });
}

/** Text with a unit → so many a second, between `min` and `max`. */
export function rate(min: string, max: string) {
  return measure(RATE_PATTERN, parseRate, [min, max]).meta({
    kind: "rate",
    unit: RATE_UNITS,
    range: `${min} to ${max}`,
  });
}

function measure(
  pattern: RegExp,
  parse: (text: string) => number | undefined,
  [min, max]: readonly [string, string],
) {
  return z
    .string()
    .regex(pattern)
    .transform((text, context) => {
      const value = parse(text) ?? Number.NaN;
      if (value >= (parse(min) ?? 0) && value <= (parse(max) ?? 0)) return value;
      context.issues.push({ code: "custom", input: text });
      return z.NEVER;
    });
}

/** A file that is rotated by size. @param description of its path. */
export function rotatedFile(description: string) {
  return z.strictObject({
    path: path.meta({ description }),
    sizeMax: size("1KiB", "64GiB")
      .prefault("64MiB")
      .meta({ description: "Size at which the file is rotated." }),
    keep: z
      .int()
      .min(0)
      .max(1000)
      .default(5)
      .meta({ unit: "files", description: "Rotated files kept beside the current one." }),
  });
}
