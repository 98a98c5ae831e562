import { DATATYPES, isDatatype } from "../../core/tensor/datatype.ts";
import type { TensorSpec } from "../../core/tensor/tensor.ts";
import { VERDICT_SPECS } from "./compare-verdicts.ts";
import type { Declaration } from "./declaration.ts";
import type { FunctionKind } from "./thread-messages.ts";

/** What is wrong with the default export of a file: for whoever wrote it. */
export class DeclarationError extends Error {}

/** How the default export looks, and the name of its function. */
const FORMS = {
  function: { run: "run", text: "export default defineStep({ inputs, outputs, run })" },
  load: { run: "load", text: "export default defineLoad({ key, outputs, load })" },
  combine: { run: "combine", text: "export default defineCombine({ outputs, combine })" },
} as const satisfies Record<
  Exclude<FunctionKind, "compare">,
  { readonly run: string; readonly text: string }
>;

/** Inputs or outputs of one function. */
const TENSORS_MAX = 256;

/** What the default export of a file says, and its function, still unchecked in what it takes and gives. */
export interface DefinedFunction {
  readonly declaration: Declaration;
  readonly run: (...parameters: unknown[]) => unknown;
}

/** @throws DeclarationError saying what was found and what is expected. */
export function readDeclaration(exported: unknown, kind: FunctionKind): DefinedFunction {
  if (kind === "compare") return readComparisonFunction(exported);
  const form = FORMS[kind];
  if (exported === undefined) throw expected("it has no default export", form.text);
  if (!isRecord(exported)) {
    throw expected(`its default export is ${nounOf(exported)}`, form.text);
  }
  const run = exported[form.run];
  if (typeof run !== "function") {
    throw expected(
      `its default export has no function "${form.run}"${otherUse(exported, kind)}`,
      form.text,
    );
  }
  const outputs = readSpecs(exported["outputs"], "outputs");
  const [first] = outputs;
  if (first === undefined) throw expected("outputs: found none", "at least one");
  if (kind === "load") checkRows(outputs);
  const labels = readLabels(exported["labels"]);
  return {
    declaration: {
      inputs: readInputs(exported, kind),
      outputs,
      prediction: readPrediction(exported["prediction"], outputs),
      labels,
      score: readScore(exported["score"], labels),
    },
    // `this` is the definition, as for any method.
    run: (run as DefinedFunction["run"]).bind(exported),
  };
}

/** A comparison is a function and nothing else: what it takes and gives is always the same. */
function readComparisonFunction(exported: unknown): DefinedFunction {
  const text = "export default (answer, shadow) => boolean";
  if (exported === undefined) throw expected("it has no default export", text);
  if (typeof exported !== "function") {
    throw expected(`its default export is ${nounOf(exported)}`, text);
  }
  const declaration = { inputs: [], outputs: VERDICT_SPECS, labels: undefined } as const;
  return {
    declaration: { ...declaration, prediction: 0, score: 0 },
    run: exported as DefinedFunction["run"],
  };
}

function readInputs(
  exported: Readonly<Record<string, unknown>>,
  kind: keyof typeof FORMS,
): TensorSpec[] {
  if (kind === "combine") return [];
  if (kind === "load") {
    const { key } = exported;
    if (typeof key !== "string" || key === "") {
      throw expected(`key: found ${textOf(key)}`, "the name of the input that holds the keys");
    }
    return [{ name: key, datatype: "BYTES", shape: [-1] }];
  }
  const inputs = readSpecs(exported["inputs"], "inputs");
  if (inputs.length === 0) throw expected("inputs: found none", "at least one");
  return inputs;
}

function readSpecs(declared: unknown, at: string): TensorSpec[] {
  if (!isRecord(declared)) {
    throw expected(`${at}: found ${nounOf(declared)}`, "{ name: { datatype, shape } }");
  }
  const entries = Object.entries(declared);
  if (entries.length > TENSORS_MAX) {
    throw expected(`${at}: found ${entries.length}`, `at most ${TENSORS_MAX}`);
  }
  return entries.map(([name, spec]) => readSpec(name, spec, `${at}.${name}`));
}

function readSpec(name: string, spec: unknown, at: string): TensorSpec {
  if (name === "") throw expected(`${at}: found an empty name`, "a name");
  if (!isRecord(spec)) throw expected(`${at}: found ${nounOf(spec)}`, "{ datatype, shape }");
  const { datatype, shape } = spec;
  if (typeof datatype !== "string" || !isDatatype(datatype)) {
    const known = Object.keys(DATATYPES).join(", ");
    throw expected(`${at}.datatype: found ${textOf(datatype)}`, `one of ${known}`);
  }
  if (!Array.isArray(shape) || shape.length === 0 || !shape.every(isExtent)) {
    throw expected(
      `${at}.shape: found ${textOf(shape)}`,
      "extents such as [-1, 4], the first of which counts rows; -1 may vary",
    );
  }
  return { name, datatype, shape: [...(shape as number[])] };
}

function checkRows(outputs: readonly TensorSpec[]): void {
  for (const { name, shape } of outputs) {
    if (shape[0] === -1) continue;
    throw expected(`outputs.${name}.shape: found [${shape.join(", ")}]`, "-1 first, for the keys");
  }
}

function readPrediction(prediction: unknown, outputs: readonly TensorSpec[]): number | "all" {
  if (prediction === undefined) return 0;
  const index = outputs.findIndex(({ name }) => name === prediction);
  if (index !== -1) return index;
  if (prediction === "all") return "all";
  const names = outputs.map(({ name }) => `"${name}"`).join(", ");
  throw expected(`prediction: found ${textOf(prediction)}`, `one of ${names}, "all"`);
}

function readLabels(labels: unknown): readonly string[] | undefined {
  if (labels === undefined) return undefined;
  const isList = Array.isArray(labels) && labels.every((label) => typeof label === "string");
  if (isList) return [...(labels as string[])];
  throw expected(`labels: found ${textOf(labels)}`, "a list of text");
}

function readScore(score: unknown, labels: readonly string[] | undefined): number {
  if (score === undefined) return 0;
  if (Number.isSafeInteger(score) && (score as number) >= 0) return score as number;
  const index = labels?.indexOf(score as string) ?? -1;
  if (index !== -1) return index;
  throw expected(`score: found ${textOf(score)}`, "one of the labels or an index from 0");
}

/** A file that was named under the wrong step says so itself. */
function otherUse(exported: Readonly<Record<string, unknown>>, kind: keyof typeof FORMS): string {
  const other = (Object.keys(FORMS) as (keyof typeof FORMS)[]).find(
    (candidate) => candidate !== kind && typeof exported[FORMS[candidate].run] === "function",
  );
  return other === undefined ? "" : `, but "${FORMS[other].run}", which is for "${other}: <file>"`;
}

function isExtent(extent: unknown): boolean {
  return extent === -1 || (Number.isSafeInteger(extent) && (extent as number) >= 1);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function expected(found: string, what: string): DeclarationError {
  return new DeclarationError(`${found}, expected ${what}`);
}

function textOf(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = typeof value === "function" ? "a function" : JSON.stringify(value);
  return text === undefined || text.length > 80 ? nounOf(value) : text;
}

function nounOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
