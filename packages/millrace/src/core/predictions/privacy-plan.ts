import { allocate } from "../tensor/datatype.ts";
import { fromBfloat, fromHalf } from "../tensor/half-float.ts";
import { shortNumber } from "../tensor/short-number.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { bucketOf, MASK, type KeyedHash, type Redaction } from "./redaction.ts";
import { shortDigest } from "./short-digest.ts";

/** What the file says about what may be logged. */
export interface PrivacyRules {
  /** Inputs and columns that may be logged; undefined allows all. */
  readonly fields: readonly string[] | undefined;
  /** By name of an input or a column. */
  readonly redact: Readonly<Record<string, Redaction>>;
}

/** Names of the columns of an input, by input. */
export type InputColumns = Readonly<Record<string, readonly string[]>>;

type InputPlan =
  | { readonly kind: "keep" }
  | { readonly kind: "leave_out" }
  | { readonly kind: "redact"; readonly redaction: Redaction }
  | { readonly kind: "split"; readonly split: Split };

/** An input of which some columns are kept together, and others become tensors of their own. */
interface Split {
  readonly columnCount: number;
  readonly kept: readonly number[];
  readonly redacted: readonly {
    readonly index: number;
    readonly name: string;
    readonly redaction: Redaction;
  }[];
}

/** Tells versions of the rules apart, in the column `policy`; empty where nothing is left out or changed. */
export function policyOf({ fields, redact }: PrivacyRules): string {
  if (fields === undefined && Object.keys(redact).length === 0) return "";
  const rules = Object.entries(redact).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return shortDigest(JSON.stringify([fields?.toSorted(), rules]));
}

/** What is done with the inputs of one predictor before they are logged, worked out once. */
export class PrivacyPlan {
  /** Of the inputs as they are logged. */
  readonly columns: InputColumns;
  readonly #plans: ReadonlyMap<string, InputPlan>;

  private constructor(plans: ReadonlyMap<string, InputPlan>, columns: InputColumns) {
    this.#plans = plans;
    this.columns = columns;
  }

  /** @returns undefined when all inputs are logged as they are. */
  static of(
    inputNames: readonly string[],
    columns: InputColumns,
    rules: PrivacyRules,
  ): PrivacyPlan | undefined {
    const plans = new Map(inputNames.map((name) => [name, planOf(name, columns[name], rules)]));
    if ([...plans.values()].every(({ kind }) => kind === "keep")) return undefined;
    const left = Object.entries(columns).map(([name, names]) => {
      const plan = plans.get(name);
      const kept = plan?.kind === "split" ? plan.split.kept.map((i) => names[i] as string) : names;
      return [name, kept] as const;
    });
    return new PrivacyPlan(plans, Object.fromEntries(left));
  }

  /** The inputs of which anything is logged, as they are. */
  allowed(inputs: readonly Tensor[]): Tensor[] {
    return inputs.filter(({ name }) => (this.#plans.get(name) ?? LEAVE_OUT).kind !== "leave_out");
  }

  /** Keyed hashes that `apply` makes. */
  hashCountOf(inputs: readonly Tensor[]): number {
    let count = 0;
    for (const { name, data } of inputs) {
      const plan = this.#plans.get(name);
      if (plan?.kind === "redact" && plan.redaction.kind === "hmac") count += data.length;
      if (plan?.kind !== "split") continue;
      const { columnCount, redacted: changed } = plan.split;
      const hashed = changed.filter(({ redaction }) => redaction.kind === "hmac").length;
      count += (data.length / columnCount) * hashed;
    }
    return count;
  }

  /** What may be logged of the inputs; what no plan knows may not. The given tensors stay as they are. */
  apply(inputs: readonly Tensor[], hash: KeyedHash): Tensor[] {
    return inputs.flatMap((input) => {
      const plan = this.#plans.get(input.name) ?? LEAVE_OUT;
      switch (plan.kind) {
        case "keep":
          return [input];
        case "leave_out":
          return [];
        case "redact":
          return redacted(input, plan.redaction, hash);
        case "split":
          return splitColumns(input, plan.split, hash);
      }
    });
  }
}

const LEAVE_OUT: InputPlan = { kind: "leave_out" };

function planOf(
  name: string,
  columns: readonly string[] | undefined,
  { fields, redact }: PrivacyRules,
): InputPlan {
  const own = redactionOf(redact, name);
  const isAllowed = fields === undefined || fields.includes(name);
  if (own !== undefined) {
    return isAllowed && own.kind !== "drop" ? { kind: "redact", redaction: own } : LEAVE_OUT;
  }
  if (columns === undefined) return isAllowed ? { kind: "keep" } : LEAVE_OUT;
  const allowed = columns
    .map((_, index) => index)
    .filter((index) => {
      return isAllowed || fields.includes(columns[index] as string);
    });
  const changed = allowed.flatMap((index) => {
    const column = columns[index] as string;
    const redaction = redactionOf(redact, column);
    return redaction === undefined ? [] : [{ index, name: column, redaction }];
  });
  if (allowed.length === 0) return LEAVE_OUT;
  if (allowed.length === columns.length && changed.length === 0) return { kind: "keep" };
  const isChanged = new Set(changed.map(({ index }) => index));
  const kept = allowed.filter((index) => !isChanged.has(index));
  return { kind: "split", split: { columnCount: columns.length, kept, redacted: changed } };
}

function redactionOf(redact: PrivacyRules["redact"], name: string): Redaction | undefined {
  return Object.hasOwn(redact, name) ? redact[name] : undefined;
}

/** One that has other columns than its plan is left out: nobody knows what is what. */
function splitColumns(input: Tensor, split: Split, hash: KeyedHash): Tensor[] {
  const rowCount = input.shape[0] ?? 1;
  const { columnCount, kept, redacted: changed } = split;
  if (input.data.length !== rowCount * columnCount) return [];
  const columns = changed.flatMap(({ index, name, redaction }) =>
    redacted(
      { ...columnsOf(input, [index], columnCount), name, shape: [rowCount] },
      redaction,
      hash,
    ),
  );
  return kept.length === 0 ? columns : [columnsOf(input, kept, columnCount), ...columns];
}

function columnsOf(input: Tensor, indexes: readonly number[], columnCount: number): Tensor {
  const rowCount = input.data.length / columnCount;
  const data = allocate(input.datatype, rowCount * indexes.length) as (number | string)[];
  let at = 0;
  for (let row = 0; row < rowCount; row++) {
    for (const index of indexes) data[at++] = input.data[row * columnCount + index] as number;
  }
  return { ...input, shape: [rowCount, indexes.length], data: data as typeof input.data };
}

/** @returns none for what is dropped. */
function redacted(tensor: Tensor, redaction: Redaction, hash: KeyedHash): Tensor[] {
  const { name, shape, data } = tensor;
  const texts = (make: (index: number) => string): Tensor[] => [
    {
      name,
      shape,
      datatype: "BYTES",
      data: Array.from({ length: data.length }, (_, i) => make(i)),
    },
  ];
  switch (redaction.kind) {
    case "drop":
      return [];
    case "mask":
      return texts(() => MASK);
    case "hmac":
      return texts((i) => hash(String(elementOf(tensor, i))));
    case "bucket": {
      const numbers = Float64Array.from({ length: data.length }, (_, i) =>
        bucketOf(Number(elementOf(tensor, i)), redaction.by),
      );
      return [{ name, shape, datatype: "FP64", data: numbers }];
    }
  }
}

/** As people write it: the hash of 5.1 is that of the text, not of the nearest FP32 number with all its digits. */
function elementOf({ data, datatype }: Tensor, index: number): number | bigint | string {
  const value = data[index] as number | bigint | string;
  if (typeof value !== "number") return value;
  if (datatype === "FP32") return shortNumber(value);
  if (datatype === "FP16") return fromHalf(value);
  return datatype === "BF16" ? fromBfloat(value) : value;
}
