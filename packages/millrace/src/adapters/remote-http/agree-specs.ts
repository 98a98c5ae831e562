import { fitsSpec, mergeShapes } from "../../core/graph/edge.ts";
import { specText, typeText } from "../../core/graph/spec-text.ts";
import { elementCountOf, type TensorSpec } from "../../core/tensor/tensor.ts";
import type { Said, SaidSpec, Specs } from "./protocol.ts";

/** What the file says; undefined leaves it to the server. */
export interface Declared {
  readonly inputs: readonly TensorSpec[] | undefined;
  readonly outputs: readonly TensorSpec[] | undefined;
}

export type Agreement =
  | { readonly kind: "agreed"; readonly specs: Specs }
  /** Why not, for people; at least one. */
  | { readonly kind: "problems"; readonly problems: readonly string[] };

/**
 * What a remote takes and gives: as the file declares it, as its server says it, or as both do, where they must agree.
 * A declared output may leave others out; the inputs must be all there are.
 * @param said undefined when the server says nothing.
 */
export function agreeSpecs(declared: Declared, said: Said | undefined): Agreement {
  const problems: string[] = [];
  const inputs = agree("inputs", declared.inputs, said?.inputs, problems);
  const outputs = agree("outputs", declared.outputs, said?.outputs, problems);
  if (declared.inputs !== undefined) {
    const names = new Set(declared.inputs.map(({ name }) => name));
    for (const { name } of said?.inputs ?? []) {
      if (!names.has(name))
        problems.push(`its server also takes "${name}", which inputs leaves out`);
    }
  }
  checkNames("inputs", inputs, problems);
  checkNames("outputs", outputs, problems);
  return problems.length > 0
    ? { kind: "problems", problems }
    : { kind: "agreed", specs: { inputs, outputs } };
}

type Side = "inputs" | "outputs";

function agree(
  side: Side,
  declared: readonly TensorSpec[] | undefined,
  said: readonly SaidSpec[] | undefined,
  problems: string[],
): TensorSpec[] {
  if (declared !== undefined) {
    return declared.map((spec) =>
      said === undefined ? spec : mergeSpec(side, spec, said, problems),
    );
  }
  if (said === undefined || said.length === 0) {
    problems.push(`its server does not say what its ${side} are, declare ${side}`);
    return [];
  }
  return said.flatMap((spec) => {
    const { name, datatype, shape } = spec;
    if (datatype !== undefined && shape !== undefined) return [{ name, datatype, shape }];
    const missing = datatype === undefined ? "datatype" : "shape";
    problems.push(`its server does not say the ${missing} of "${name}", declare ${side}`);
    return [];
  });
}

function mergeSpec(
  side: Side,
  spec: TensorSpec,
  said: readonly SaidSpec[],
  problems: string[],
): TensorSpec {
  const other = said.find(({ name }) => name === spec.name);
  if (other === undefined) {
    const known = said.map(({ name }) => `"${name}"`).join(", ");
    problems.push(`${side} declares ${specText(spec)}, its server knows ${known}`);
    return spec;
  }
  const { datatype = spec.datatype, shape = spec.shape } = other;
  const found = { name: spec.name, datatype, shape };
  if (fitsSpec(found, spec))
    return { ...spec, shape: mergeShapes(spec.shape, shape) ?? spec.shape };
  problems.push(`${side} declares ${specText(spec)}, its server says ${typeText(found)}`);
  return spec;
}

function checkNames(side: Side, specs: readonly TensorSpec[], problems: string[]): void {
  specs.forEach(({ name, shape }, i) => {
    if (name === "") problems.push(`one of its ${side} has no name`);
    else if (specs.findIndex((other) => other.name === name) !== i) {
      problems.push(`two of its ${side} are called "${name}"`);
    }
    const isCountable = elementCountOf(shape.map((extent) => Math.max(1, extent))) !== undefined;
    if (!isCountable) problems.push(`the shape of "${name}" is larger than any tensor`);
  });
}
