import type { Datatype, TensorData } from "../core/tensor/datatype.ts";
import { joinRows, sliceRows } from "../core/tensor/rows.ts";
import type { Tensor, TensorSpec } from "../core/tensor/tensor.ts";
import type { LoadedModel } from "../ports/runtime.ts";

/** Do requests of a model share runs? */
export interface Batching {
  readonly isBatched: boolean;
  /** Why not; undefined when they do. */
  readonly reason: string | undefined;
}

const BATCHED: Batching = { isBatched: true, reason: undefined };

/** How far two results may be apart that a model computes in batches of one and two. */
const ABSOLUTE_TOLERANCE = 1e-5;
const RELATIVE_TOLERANCE = 1e-4;
/** Of 16-bit floats, in units of the last place. */
const LAST_PLACES = 4;

/** Numbers smaller than this are as good as zero when a different one is looked for. */
const SMALL = 1e-3;

/** 0.5 and 0.25 as bits of 16-bit floats. */
const HALVES = { FP16: [0x3800, 0x3400], BF16: [0x3f00, 0x3e80] } as const;

/**
 * Finds out whether rows of different requests may run together: every input and output counts rows along its
 * first axis, and two different rows give the same results together as apart. What is not proven is not batched:
 * a model that mixes rows would mix the answers of different callers.
 * @param example inputs that run, at least one row.
 */
export async function proveBatching(
  model: LoadedModel,
  example: readonly Tensor[],
): Promise<Batching> {
  const reason = shapeReason(model) ?? (await behaviourReason(model, example));
  return reason === undefined ? BATCHED : { isBatched: false, reason };
}

function shapeReason({ description: { inputs, outputs } }: LoadedModel): string | undefined {
  if (inputs.length === 0) return "the model has no inputs";
  return axisReason("input", inputs) ?? axisReason("output", outputs);
}

function axisReason(role: "input" | "output", specs: readonly TensorSpec[]): string | undefined {
  const fixed = specs.find(({ shape }) => shape[0] !== -1);
  if (fixed === undefined) return undefined;
  const { name, shape } = fixed;
  if (shape.length === 0) return `${role} "${name}" is a single value, it has no axis for rows`;
  const [extent = 0] = shape;
  return `the first axis of ${role} "${name}" has the fixed extent ${extent}, shape [${shape.join(", ")}]`;
}

async function behaviourReason(
  model: LoadedModel,
  example: readonly Tensor[],
): Promise<string | undefined> {
  const names = model.description.outputs.map((output) => output.name);
  const one = example.map((input) => sliceRows(input, 0, 1));
  const other = example.map(otherRow);
  try {
    const [alone, otherAlone, together] = [
      (await model.run(one, names)).outputs,
      (await model.run(other, names)).outputs,
      (
        await model.run(
          one.map((tensor, i) => joinRows([tensor, other[i] as Tensor])),
          names,
        )
      ).outputs,
    ];
    for (const [i, both] of together.entries()) {
      const [rows = 0] = both.shape;
      if (rows !== 2) return `output "${both.name}" has ${rows} rows for two`;
      for (const [row, expected] of [alone[i], otherAlone[i]].entries()) {
        if (expected !== undefined && isClose(sliceRows(both, row, 1), expected)) continue;
        return `two rows together give another "${both.name}" than apart`;
      }
    }
    return undefined;
  } catch {
    return "it does not run with two different rows made from the sample; a sample of two rows would tell more";
  }
}

/** A second row: the sample's own, else one that differs from the first in every element. */
function otherRow(input: Tensor): Tensor {
  if ((input.shape[0] ?? 0) > 1) return sliceRows(input, 1, 1);
  const { datatype, data } = input;
  if (Array.isArray(data)) return { ...input, data: data.map((text) => `${text}1`) };
  const changed = data.slice() as Float64Array;
  for (let i = 0; i < changed.length; i++) changed[i] = different(datatype, changed[i] as number);
  return { ...input, data: changed };
}

function different(datatype: Datatype, value: number | bigint): never {
  return nextValue(datatype, value) as never; // assigned to an element of the same type
}

function nextValue(datatype: Datatype, value: number | bigint): number | bigint {
  if (typeof value === "bigint") return value === 0n ? 1n : value - 1n;
  switch (datatype) {
    case "BOOL":
      return 1 - value;
    // Far from each other, since models round; halves keep the sign and the order of magnitude.
    case "FP32":
    case "FP64":
      return Math.abs(value) < SMALL || !Number.isFinite(value) ? 0.25 : value / 2;
    case "FP16":
    case "BF16": {
      const [half, quarter] = HALVES[datatype];
      return value === half ? quarter : half;
    }
    default:
      return value === 0 ? 1 : value - 1;
  }
}

function isClose(a: Tensor, b: Tensor): boolean {
  if (a.data.length !== b.data.length) return false;
  for (let i = 0; i < a.data.length; i++) {
    if (!isCloseElement(a.datatype, elementOf(a.data, i), elementOf(b.data, i))) return false;
  }
  return true;
}

function elementOf(data: TensorData, index: number): number | bigint | string {
  return data[index] as number | bigint | string;
}

function isCloseElement(
  datatype: Datatype,
  a: number | bigint | string,
  b: number | bigint | string,
): boolean {
  if (typeof a !== "number" || typeof b !== "number") return a === b;
  switch (datatype) {
    case "FP32":
    case "FP64":
      if (Object.is(a, b) || a === b) return true;
      return Math.abs(a - b) <= ABSOLUTE_TOLERANCE + RELATIVE_TOLERANCE * Math.abs(b);
    case "FP16":
    case "BF16":
      return Math.abs(placeOf(a) - placeOf(b)) <= LAST_PLACES;
    default:
      return a === b;
  }
}

/** Place of a 16-bit float among all of them in order, from its bits: sign and magnitude; both zeros are one. */
function placeOf(bits: number): number {
  return bits < 0x8000 ? bits : 0x8000 - bits;
}
