import type { TensorSpec } from "../tensor/tensor.ts";
import { edgeOf, fitsSpec, type Edge } from "./edge.ts";
import type { GraphProblem } from "./graph-problem.ts";
import { specText, typeText } from "./spec-text.ts";

/** Something that inputs can be taken from: a step before, or the inputs of the request. */
export interface Source {
  readonly name: string;
  readonly outputs: readonly TensorSpec[];
}

/** The step whose inputs are looked for. */
export interface Target {
  readonly name: string;
  readonly inputs: readonly TensorSpec[];
}

/** A line of a `map`: `{ [key]: from }`. */
export interface MapLine {
  readonly key: string;
  /** `output` of the step before, or `step.output` of any step before. */
  readonly from: string;
}

export interface Connection {
  /** One per input, in that order, when there are no problems. */
  readonly edges: readonly Edge[];
  /** Their path is that of the map line, `["map", key]`, or empty. */
  readonly problems: readonly GraphProblem[];
}

/**
 * Finds where each input of a step comes from: where its map line says, else from the output of its name of the step
 * before, else from the only output of that step when this is the only input. Datatypes must be equal and shapes fit.
 * @param sources oldest first; the last one is the step before.
 * @param lines by the name of the input.
 */
export function connect(
  sources: readonly Source[],
  target: Target,
  lines: ReadonlyMap<string, MapLine> = new Map(),
): Connection {
  const edges: Edge[] = [];
  const problems: GraphProblem[] = [];
  for (const input of target.inputs) {
    const line = lines.get(input.name);
    const path = line === undefined ? [] : ["map", line.key];
    const end = line === undefined ? endByName(sources, target, input) : endAt(sources, line.from);
    if (end === undefined) {
      const expected = expectedText(sources, target, input);
      const found = line === undefined ? "" : `found "${line.from}"; `;
      problems.push({ path, message: `${found}${expected}` });
    } else if (fitsSpec(end.spec, input)) {
      edges.push(edgeOf(end, end.spec, input));
    } else {
      problems.push({ path, message: mismatchText(sources, end, target, input) });
    }
  }
  return { edges, problems };
}

/** One output of one source. */
interface End {
  readonly source: number;
  readonly sourceName: string;
  readonly index: number;
  readonly spec: TensorSpec;
}

function endByName(sources: readonly Source[], target: Target, input: TensorSpec): End | undefined {
  const source = sources.length - 1;
  const outputs = sources[source]?.outputs ?? [];
  const isOnly = outputs.length === 1 && target.inputs.length === 1;
  const index = isOnly ? 0 : outputs.findIndex(({ name }) => name === input.name);
  const spec = outputs[index];
  if (spec === undefined) return undefined;
  return { source, sourceName: sources[source]?.name ?? "", index, spec };
}

/** An output of the step before by its plain name; else by a step's and its own name, the nearest such step. */
function endAt(sources: readonly Source[], from: string): End | undefined {
  const ends = endsOf(sources).toReversed();
  const last = sources.length - 1;
  return (
    ends.find(({ source, spec }) => source === last && spec.name === from) ??
    ends.find(({ sourceName, spec }) => `${sourceName}.${spec.name}` === from)
  );
}

function endsOf(sources: readonly Source[]): End[] {
  return sources.flatMap(({ name, outputs }, source) =>
    outputs.map((spec, index) => ({ source, sourceName: name, index, spec })),
  );
}

function expectedText(sources: readonly Source[], target: Target, input: TensorSpec): string {
  const before = sources.at(-1);
  const given = before?.outputs.map(specText).join(", ") || "nothing";
  const takes = `step "${target.name}" takes ${specText(input)}`;
  return `${takes}, "${before?.name ?? ""}" gives ${given}; ${adviceText(sources, input)}`;
}

function mismatchText(
  sources: readonly Source[],
  end: End,
  target: Target,
  input: TensorSpec,
): string {
  const takes = `step "${target.name}" takes ${specText(input)}`;
  const given = `"${end.spec.name}" of "${end.sourceName}" is ${typeText(end.spec)}`;
  return `${takes}, ${given}; ${adviceText(sources, input)}`;
}

const ADVICE_MAX = 3;

/** The map lines that would do, nearest first. */
function adviceText(sources: readonly Source[], input: TensorSpec): string {
  const last = sources.length - 1;
  const fitting = endsOf(sources)
    .filter(({ spec }) => fitsSpec(spec, input))
    .sort((a, b) => b.source - a.source || a.index - b.index)
    .slice(0, ADVICE_MAX);
  if (fitting.length === 0) return "no step before gives what fits";
  const lines = fitting.map(({ source, sourceName, spec }) => {
    const from = source === last ? spec.name : `${sourceName}.${spec.name}`;
    return `map: { ${input.name}: ${from} }`;
  });
  // What the request brings is no stand-in for a step that was to prepare it: that fits, and predicts nonsense.
  if (last > 0 && fitting.every(({ source }) => source === 0)) {
    return `no step before gives what fits; if what the request brings is meant, write ${lines.join(" or ")}`;
  }
  return `write ${lines.join(" or ")}`;
}
