import type { JsonValue } from "../json.ts";
import { attributesJson } from "./attributes-json.ts";
import type { FeedbackEntry, FeedbackReport, FeedbackSubject } from "./feedback-entry.ts";
import type { FeedbackProblems, Place } from "./feedback-problems.ts";
import { checkText } from "./check-text.ts";
import { describeValue } from "./describe-value.ts";
import { readLabel } from "./read-label.ts";
import { MOMENT_FORMS, readMoment } from "./read-moment.ts";
import { readPredictionId } from "./read-prediction-id.ts";

/** Characters of a name: of an event, of a source. */
const NAME_LENGTH_MAX = 256;

/** Characters of an entity's id. */
const ENTITY_LENGTH_MAX = 1_024;

/** Clocks differ; what is further ahead is a mistake that would outlive every later label. */
const AHEAD_MS_MAX = 86_400_000;

/** What is not an attribute. */
const OWN_MEMBERS: ReadonlySet<string> = new Set([
  "prediction_id",
  "entity_id",
  "ts",
  "label",
  "event",
  "value",
  "source",
]);

type Members = Readonly<Record<string, JsonValue>>;

export interface EntryContext {
  readonly nowMs: number;
  /** Where the entry stands. */
  readonly place: Place;
  readonly problems: FeedbackProblems;
}

/** @returns undefined, or something that is not to be used, after it has noted what is wrong. */
export function readEntry(value: JsonValue, context: EntryContext): FeedbackEntry | undefined {
  const { place, problems } = context;
  if (!isObject(value)) {
    return problems.add(place, "type", `found ${describeValue(value)}, expected an object`);
  }
  const tsUs = readTs(value, context);
  const about = readSubject(value, context);
  const report = readReport(value, context);
  const source = readText(value["source"], "source", NAME_LENGTH_MAX, context);
  const others = Object.entries(value).filter(([name]) => !OWN_MEMBERS.has(name));
  const attributes = attributesJson(others, place, problems);
  if (about === undefined || report === undefined) return undefined;
  return { about, report, tsUs, source, attributes };
}

function isObject(value: JsonValue): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An absent member and null say the same. */
function isGiven(value: JsonValue | undefined): value is Exclude<JsonValue, null> {
  return value !== undefined && value !== null;
}

function readSubject(members: Members, context: EntryContext): FeedbackSubject | undefined {
  const { place, problems } = context;
  const { prediction_id: id, entity_id: entity, ts } = members;
  if (isGiven(id) === isGiven(entity)) {
    const found = isGiven(id) ? "both" : "neither";
    const expected = "expected prediction_id, or entity_id with ts";
    return problems.add(place, "missing", `found ${found}, ${expected}`);
  }
  if (isGiven(id)) {
    const known = typeof id === "string" ? readPredictionId(id) : undefined;
    if (known !== undefined) return { kind: "prediction", id: known };
    const expected = "expected a UUID, of one row of several with its number: <UUID>#<row>";
    const message = `found ${describeValue(id)}, ${expected}`;
    return problems.add([...place, "prediction_id"], "uuid", message);
  }
  if (!isGiven(ts)) {
    const message = "found none, expected a time: it tells which prediction of the entity is meant";
    problems.add([...place, "ts"], "missing", message);
  }
  const entityId = readText(nameOf(entity as JsonValue), "entity_id", ENTITY_LENGTH_MAX, context);
  return entityId === undefined ? undefined : { kind: "unit", entityId };
}

/** A whole number is a name as good as any: it is hashed as its digits. */
function nameOf(entity: JsonValue): JsonValue {
  const isWhole = typeof entity === "bigint" || Number.isSafeInteger(entity);
  return isWhole ? (entity as number | bigint).toString() : entity;
}

function readReport(members: Members, context: EntryContext): FeedbackReport | undefined {
  const { place, problems } = context;
  const { label, event } = members;
  if (isGiven(label) === isGiven(event)) {
    const found = isGiven(label) ? "both" : "neither";
    return problems.add(place, "missing", `found ${found}, expected either label or event`);
  }
  const value = readValue(members["value"], context);
  if (isGiven(event)) {
    const name = readText(event, "event", NAME_LENGTH_MAX, context);
    return name === undefined ? undefined : { kind: "event", name, value };
  }
  if (value !== undefined) {
    const message = "found a value beside a label, expected it beside an event only";
    problems.add([...place, "value"], "unknown", message);
  }
  return readLabel(label as JsonValue, [...place, "label"], problems);
}

function readValue(value: JsonValue | undefined, context: EntryContext): number | undefined {
  if (!isGiven(value)) return undefined;
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number === "number" && Number.isFinite(number)) return number;
  const message = `found ${describeValue(value)}, expected a number`;
  return context.problems.add([...context.place, "value"], "type", message);
}

function readTs({ ts }: Members, { nowMs, place, problems }: EntryContext): number | undefined {
  if (!isGiven(ts)) return undefined;
  const us = typeof ts === "string" ? readMoment(ts) : undefined;
  if (us === undefined) {
    const message = `found ${describeValue(ts)}, expected ${MOMENT_FORMS}`;
    return problems.add([...place, "ts"], "time", message);
  }
  if (us <= (nowMs + AHEAD_MS_MAX) * 1_000) return us;
  const now = new Date(nowMs).toISOString();
  const message = `found ${describeValue(ts)}, which is more than a day ahead: it is ${now} here`;
  return problems.add([...place, "ts"], "range", message);
}

function readText(
  value: JsonValue | undefined,
  name: string,
  lengthMax: number,
  { place, problems }: EntryContext,
): string | undefined {
  if (!isGiven(value)) return undefined;
  const at = [...place, name];
  if (typeof value === "string") return checkText(value, lengthMax, { place: at, problems });
  const message = `found ${describeValue(value)}, expected a text of 1 to ${lengthMax} characters`;
  return problems.add(at, "type", message);
}
