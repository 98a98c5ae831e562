import { z } from "zod";
import { CONDITION_DEPTH_MAX, PREDICATES_MAX } from "../core/rules/condition.ts";
import { HASH_STEPS } from "../core/rules/hash-unit.ts";
import { place } from "./schema-place.ts";
import { timeWindow } from "./schema-time-window.ts";
import { headerName, isNotEmpty, isSound } from "./schema-values.ts";
import { bodyTest, textTest } from "./schema-value-test.ts";
import { parseShare, SHARE_PATTERN } from "./share.ts";

/** Most keys in the path of a value in the body, and most characters. */
const BODY_PATH_DEPTH_MAX = 16;
const BODY_PATH_LENGTH_MAX = 256;

const CONDITIONS_TEXT = "a list of one or more conditions";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/** Keys that are one predicate each. */
const SINGLE_PREDICATES = ["method", "path", "caller", "percent", "time", "place"] as const;

const queryName = z.string().min(1);

const bodyPath = z
  .string()
  .max(BODY_PATH_LENGTH_MAX)
  .regex(new RegExp(`^[^.]+(?:\\.[^.]+){0,${BODY_PATH_DEPTH_MAX - 1}}$`))
  .meta({ range: `1 to ${BODY_PATH_DEPTH_MAX} keys joined by dots, such as customer.tier` });

/** Not `share()`, which would turn the text into a number here: examples of what is transformed get lost. */
const percentShare = z
  .union([
    z
      .string()
      .regex(SHARE_PATTERN)
      .refine((text) => parseShare(text) !== undefined),
    z.number().min(0).max(1),
  ])
  .refine((share) => isWholeStep(ratioOf(share)))
  .meta({ kind: "share", range: "0% to 100% in steps of 0.01%, or 0 to 1 in steps of 0.0001" });

const inputName = z.string().min(1);

const percent = z.union([
  percentShare,
  z.strictObject({
    share: percentShare.meta({ live: true, description: "Share of requests, or of units." }),
    salt: z.string().min(1).optional().meta({
      live: true,
      description:
        "Percentages of one salt choose the same units, those of two salts independent ones. Absent: one of its own for each rule.",
    }),
  }),
]);

const conditionObject = z
  .strictObject({
    header: testsOf(headerName, textTest).meta({
      live: true,
      description: "Headers of the request, by name.",
      examples: [{ target: "mountain" }, { target: { prefix: "moun" } }],
    }),
    query: testsOf(queryName, textTest).meta({
      live: true,
      description: "Parameters of the address's query, by name; of several the first one.",
    }),
    cookie: testsOf(headerName, textTest).meta({ live: true, description: "Cookies, by name." }),
    body: testsOf(bodyPath, bodyTest).meta({
      live: true,
      description: "Values in the JSON body, by their path: keys and list indexes joined by dots.",
      examples: [{ "customer.tier": "gold" }, { "items.0.price": { atLeast: 100 } }],
    }),
    input: testsOf(inputName, textTest).meta({
      live: true,
      description:
        "Inputs of the switch, by name, which are outputs of the step before: all their elements are so. Not in rules.",
      examples: [{ labels: "cat" }, { score: { atLeast: 0.9 } }],
    }),
    method: z
      .union([z.enum(METHODS), z.array(z.enum(METHODS)).min(1)])
      .optional()
      .meta({ live: true, description: "Method of the request." }),
    path: textTest.optional().meta({
      live: true,
      description: "Path of the request's address.",
      examples: [{ prefix: "/v2" }],
    }),
    caller: textTest
      .optional()
      .meta({ live: true, description: "Name of the API key that the caller showed." }),
    percent: percent.optional().meta({
      live: true,
      description: "A share of the requests; those of one unit get the same.",
      examples: ["10%", { share: "10%", salt: "ramp" }],
    }),
    time: timeWindow.optional().meta({
      live: true,
      description: "Clocks in a time zone show a time from `from` up to `to`.",
      examples: [{ from: "07:00", to: "11:00", timeZone: "Asia/Seoul", weekdays: ["mon"] }],
    }),
    place: place.optional().meta({
      live: true,
      description: "Where the caller is, by headers that a proxy sets.",
      examples: [{ country: ["DE", "FR"] }, { circle: { lat: 52.5, lon: 13.4, km: 50 } }],
    }),
    get all(): z.ZodOptional<z.ZodArray<typeof conditionObject>> {
      return z
        .array(conditionObject)
        .min(1)
        .optional()
        .meta({ live: true, range: CONDITIONS_TEXT, description: "Every one of these holds." });
    },
    get any(): z.ZodOptional<z.ZodArray<typeof conditionObject>> {
      return z
        .array(conditionObject)
        .min(1)
        .optional()
        .meta({ live: true, range: CONDITIONS_TEXT, description: "At least one of these holds." });
    },
    get not(): z.ZodOptional<typeof conditionObject> {
      return conditionObject.optional().meta({ live: true, description: "This does not hold." });
    },
  })
  .meta({ id: "condition" });

/** A condition as it is written; several keys mean all of them. */
export type WrittenCondition = z.output<typeof conditionObject>;

/**
 * `when` of a rule, which is asked before there are any inputs. Lazy only because then its JSON Schema is a reference
 * to the one definition, not another copy of it.
 */
export const condition = z
  .lazy(() => conditionObject)
  .superRefine(checkSize, { when: isSound })
  .superRefine(refuseInputs, { when: isSound })
  .meta({
    live: true,
    kind: "condition",
    description: "What must hold of the request; several keys mean all of them.",
    examples: [
      { header: { target: "mountain" } },
      { time: { from: "07:00", to: "11:00", timeZone: "Asia/Seoul" } },
    ],
  });

/** `when` of a switch, which may look at what an earlier step gave too. */
export const switchCondition = z
  .lazy(() => conditionObject)
  .superRefine(checkSize, { when: isSound })
  .meta({
    kind: "condition",
    description:
      "What must hold of the request, or of the inputs of the switch; several keys mean all of them.",
    examples: [{ input: { labels: ["cat", "dog"] } }, { header: { target: "mountain" } }],
  });

/** The ratio that a percentage or a ratio stands for. */
export function ratioOf(share: string | number): number {
  return typeof share === "number" ? share : (parseShare(share) ?? 0);
}

function isWholeStep(ratio: number): boolean {
  return Math.round(ratio * HASH_STEPS) / HASH_STEPS === ratio;
}

function testsOf<K extends z.ZodString, T extends z.ZodType>(name: K, test: T) {
  return z
    .record(name, test)
    .refine(isNotEmpty, "found an empty object, expected a name and its value")
    .optional();
}

type Report = (path: readonly (string | number)[], message: string) => void;

function reportTo(written: WrittenCondition, context: z.RefinementCtx<WrittenCondition>): Report {
  return (path, message) => {
    context.addIssue({ code: "custom", input: written, path: [...path], message });
  };
}

function refuseInputs(written: WrittenCondition, context: z.RefinementCtx<WrittenCondition>): void {
  const report = reportTo(written, context);
  forEachPart(written, (part, path) => {
    if (part.input === undefined) return true;
    report([...path, "input"], "only a switch has inputs: rules are asked before any step has run");
    return true;
  });
}

/** What the shape does not say: nothing is empty, nested too deeply, or too long. */
function checkSize(written: WrittenCondition, context: z.RefinementCtx<WrittenCondition>): void {
  const report = reportTo(written, context);
  let predicateCount = 0;
  forEachPart(written, (part, path, depth) => {
    if (depth > CONDITION_DEPTH_MAX) {
      report(path, `nested too deeply, expected at most ${CONDITION_DEPTH_MAX} levels`);
      return false;
    }
    if (!isNotEmpty(part)) {
      const keys = Object.keys(conditionObject.shape).join(", ");
      report(path, `found an empty condition, expected at least one of ${keys}`);
    }
    predicateCount += countPredicates(part);
    return true;
  });
  if (predicateCount > PREDICATES_MAX) {
    report([], `found ${predicateCount} predicates, expected at most ${PREDICATES_MAX}`);
  }
}

/** The condition, then those inside it. @param visit from depth 1; says whether to go on inside the part. */
function forEachPart(
  written: WrittenCondition,
  visit: (part: WrittenCondition, path: readonly (string | number)[], depth: number) => boolean,
): void {
  const walk = (part: WrittenCondition, path: readonly (string | number)[], depth: number) => {
    if (!visit(part, path, depth)) return;
    for (const key of ["all", "any"] as const) {
      part[key]?.forEach((child, index) => walk(child, [...path, key, index], depth + 1));
    }
    if (part.not !== undefined) walk(part.not, [...path, "not"], depth + 1);
  };
  walk(written, [], 1);
}

/** Those of the object itself, not of conditions inside it. */
function countPredicates(written: WrittenCondition): number {
  const { header, query, cookie, body, input } = written;
  const named = [header, query, cookie, body, input].flatMap((tests) => Object.keys(tests ?? {}));
  return named.length + SINGLE_PREDICATES.filter((key) => written[key] !== undefined).length;
}
