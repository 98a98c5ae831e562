import type { TensorSpec } from "../tensor/tensor.ts";
import { connect, type Source } from "./connect.ts";
import { edgeOf, type Edge } from "./edge.ts";
import type { GraphProblem, StepBuild } from "./graph-problem.ts";
import { assignMapLines } from "./map-lines.ts";
import { SequenceStep, type Link, type SequenceEdge } from "./sequence-step.ts";
import { connectFallback, replaced, skipped, type Reader } from "./stand-in.ts";
import type { Step } from "./step.ts";

export interface SequenceMember {
  readonly step: Step;
  /**
   * What happens when it fails, unless the deadline has passed or the client has gone: `fail`, the default, fails the
   * sequence; `skip` hands on what the step got; a step runs in its place, on what it got.
   */
  readonly onError?: "fail" | "skip" | Step;
}

export interface SequenceOptions {
  readonly name: string;
  /** In the order they run; at least one. The sequence takes what the first takes and gives what the last gives. */
  readonly members: readonly SequenceMember[];
  /**
   * Where names differ: input → output. The input may have its step before it, `classify.x`. The output is one of the
   * step before; of any other step, with that one's name, `prep.image`; of the sequence itself, `input.image`.
   */
  readonly map?: Readonly<Record<string, string>>;
}

/** Checks each edge once, so that a run has nothing to look for. */
export function buildSequence({ name, members, map = {} }: SequenceOptions): StepBuild {
  const steps = members.map(({ step }) => step);
  const [first] = steps;
  if (first === undefined) {
    const message = "found no step, expected at least one";
    return { kind: "problems", problems: [{ path: ["sequence"], message }] };
  }
  const { edges, results, problems } = connectSteps(first, steps, map);
  const failing = members.map(({ step, onError = "fail" }, i) => {
    const readers = readersOf(i, steps, edges, results);
    return onError === "fail" ? undefined : failingOf(step, onError, readers);
  });
  for (const [i, one] of failing.entries()) {
    for (const message of one?.problems ?? []) problems.push({ path: ["sequence", i], message });
  }
  if (problems.length > 0) return { kind: "problems", problems };
  const standIns = new Map(failing.flatMap((one) => [...(one?.standIns ?? [])]));
  const complete = (own: readonly Edge[]): SequenceEdge[] =>
    own.map((edge) => ({ ...edge, standIn: standIns.get(edge) }));
  const links = steps.map((step, i): Link => {
    return { step, onError: failing[i]?.onError ?? "fail", edges: complete(edges[i] ?? []) };
  });
  return { kind: "step", step: new SequenceStep(name, links, complete(results)) };
}

interface ConnectedSteps {
  /** By member, one per input. */
  readonly edges: readonly (readonly Edge[])[];
  /** One per output of the last member. */
  readonly results: readonly Edge[];
  readonly problems: GraphProblem[];
}

function connectSteps(
  first: Step,
  steps: readonly Step[],
  map: Readonly<Record<string, string>>,
): ConnectedSteps {
  const lines = assignMapLines(map, steps);
  const sources: Source[] = [{ name: "input", outputs: first.inputs }, ...steps];
  const connections = steps.slice(1).map((step, i) => {
    return connect(sources.slice(0, i + 2), step, lines.byMember[i + 1]);
  });
  const problems = connections.flatMap((connection, i) =>
    connection.problems.map(({ path, message }) => {
      return { path: path.length > 0 ? path : ["sequence", i + 1], message };
    }),
  );
  return {
    edges: [identity(0, first.inputs), ...connections.map((connection) => connection.edges)],
    results: identity(steps.length, steps.at(-1)?.outputs ?? []),
    problems: [...lines.problems, ...problems],
  };
}

function identity(source: number, specs: readonly TensorSpec[]): Edge[] {
  return specs.map((spec, index) => edgeOf({ source, index }, spec, spec));
}

/** Everything that needs an output of a member: inputs of later ones, and what the sequence gives. */
function readersOf(
  member: number,
  steps: readonly Step[],
  edges: readonly (readonly Edge[])[],
  results: readonly Edge[],
): Reader[] {
  const readers = steps.flatMap(({ name }, i) =>
    (edges[i] ?? []).map((edge) => ({ edge, title: `step "${name}" takes` })),
  );
  const last = results.map((edge) => ({ edge, title: "the sequence gives" }));
  return [...readers, ...last].filter(({ edge }) => edge.source === member + 1);
}

interface FailingMember {
  readonly onError: Link["onError"];
  /** By the edge whose source they take the place of. */
  readonly standIns: ReadonlyMap<Edge, Edge>;
  readonly problems: readonly string[];
}

function failingOf(step: Step, onError: "skip" | Step, readers: readonly Reader[]): FailingMember {
  if (onError === "skip") return { onError, ...skipped(step, readers) };
  const { fallback, problems } = connectFallback(step, onError);
  const { standIns, problems: more } = replaced(step, onError, readers);
  return { onError: fallback, standIns, problems: [...problems, ...more] };
}
