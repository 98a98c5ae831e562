import { MillraceError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import { packRows } from "../core/tensor/pack-rows.ts";
import type { Tensor, TensorSpec } from "../core/tensor/tensor.ts";
import type { LoggedRequest } from "./logged-request.ts";

/** What the candidate takes, and what the log calls it. */
export interface InputNames {
  readonly specs: readonly TensorSpec[];
  /** Names of an input's columns, in their order; undefined where it has none. */
  readonly columns: (input: string) => readonly string[] | undefined;
  /** Inputs and columns that are not logged as they came, with what is wrong with them. */
  readonly redacted: ReadonlyMap<string, string>;
  /** Rules of privacy that `redacted` is about, as the rows name them. */
  readonly policy: string | undefined;
}

export type Rebuilt =
  | { readonly kind: "inputs"; readonly inputs: readonly Tensor[] }
  /** Why they cannot be had: the same text for the same reason, as they are counted by it. */
  | { readonly kind: "skipped"; readonly reason: string };

const NOTHING: ReadonlyMap<string, string> = new Map();

/** Nobody knows what a bucket of theirs was. */
const OTHER_POLICY = {
  kind: "skipped",
  reason: "it was logged under other log.redact or log.fields than the file has now",
} as const;

/** Turns the features of a request's rows back into what the candidate takes. */
export function rebuildInputs({ rows }: LoggedRequest, names: InputNames): Rebuilt {
  const [{ policy }] = rows;
  if (policy !== undefined && policy !== names.policy) return OTHER_POLICY;
  const known = policy === undefined ? { ...names, redacted: NOTHING } : names;
  const members: [string, JsonValue][] = [];
  for (const spec of names.specs) {
    const values: JsonValue[] = [];
    for (const { features } of rows) {
      const value = valueOf(features, spec, known);
      if ("reason" in value) return { kind: "skipped", reason: value.reason };
      values.push(value.value);
    }
    const [first] = values as [JsonValue];
    // A request that is one row of the table has its inputs either by row, without their first axis, or whole.
    const isWhole = rows.length === 1 && rankOf(first) === spec.shape.length;
    members.push([spec.name, isWhole ? first : values]);
  }
  try {
    return { kind: "inputs", inputs: packRows(Object.fromEntries(members), names.specs) };
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    const [problem] = error.problems;
    const input = String(problem?.location[1] ?? "");
    const reason = `the candidate's input "${input}" does not take it: ${problem?.message ?? error.message}`;
    return { kind: "skipped", reason };
  }
}

type Found = { readonly value: JsonValue } | { readonly reason: string };

/** The row's value for an input: its columns where they have names, else what was logged of the input itself. */
function valueOf(features: JsonValue, spec: TensorSpec, names: InputNames): Found {
  if (typeof features !== "object" || features === null || Array.isArray(features)) {
    return { reason: "no inputs were logged" };
  }
  const logged = features as Readonly<Record<string, JsonValue>>;
  const columns = names.columns(spec.name) ?? [];
  if (columns.some((column) => Object.hasOwn(logged, column))) {
    return columnsOf(logged, columns, names);
  }
  const redaction = names.redacted.get(spec.name);
  if (redaction !== undefined) return { reason: redaction };
  if (Object.hasOwn(logged, spec.name)) return { value: logged[spec.name] as JsonValue };
  const [only, ...others] = Object.values(logged);
  const isOnly = names.specs.length === 1 && only !== undefined && others.length === 0;
  return isOnly ? { value: only } : { reason: `"${spec.name}" was not logged` };
}

function columnsOf(
  logged: Readonly<Record<string, JsonValue>>,
  columns: readonly string[],
  { redacted }: InputNames,
): Found {
  const values: JsonValue[] = [];
  for (const column of columns) {
    const redaction = redacted.get(column);
    if (redaction !== undefined) return { reason: redaction };
    if (!Object.hasOwn(logged, column)) return { reason: `"${column}" was not logged` };
    values.push(logged[column] as JsonValue);
  }
  return { value: values };
}

/** Axes of a value: of nested arrays how deep they are. */
function rankOf(value: JsonValue | undefined): number {
  return Array.isArray(value) ? 1 + rankOf((value as readonly JsonValue[])[0]) : 0;
}
