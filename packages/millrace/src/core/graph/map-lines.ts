import type { MapLine } from "./connect.ts";
import type { GraphProblem } from "./graph-problem.ts";
import type { Step } from "./step.ts";

/** The lines of a sequence's `map`, each with the input it is for. */
export interface AssignedLines {
  /** By member, then by the name of its input. */
  readonly byMember: readonly ReadonlyMap<string, MapLine>[];
  readonly problems: readonly GraphProblem[];
}

interface MappedInput {
  readonly member: number;
  readonly input: string;
  /** With the step's name before it: `classify.x`. */
  readonly fullName: string;
}

/**
 * Finds the input that each line is for. Its key is the name of an input, with the step's name before it where several
 * steps have one of that name. The first step takes what the sequence takes, so no line is for it.
 */
export function assignMapLines(
  map: Readonly<Record<string, string>>,
  steps: readonly Step[],
): AssignedLines {
  const all: MappedInput[] = steps.flatMap(({ name, inputs }, member) =>
    inputs.map((input) => ({ member, input: input.name, fullName: `${name}.${input.name}` })),
  );
  const later = all.filter(({ member }) => member > 0);
  const byMember = steps.map(() => new Map<string, MapLine>());
  const problems: GraphProblem[] = [];
  for (const [key, from] of Object.entries(map)) {
    const path = ["map", key];
    const meant = later.filter(({ input, fullName }) => key === input || key === fullName);
    const names = (meant.length > 0 ? meant : later).map(({ fullName }) => fullName).join(", ");
    const [only] = meant;
    if (only === undefined) {
      const message = `found no input "${key}" after the first step, expected one of ${names || "none"}`;
      problems.push({ path, message });
    } else if (meant.length > 1) {
      problems.push({
        path,
        message: `several steps have an input "${key}": write one of ${names}`,
      });
    } else if (byMember[only.member]?.has(only.input) === true) {
      problems.push({ path, message: `a line for ${only.fullName} stands there already` });
    } else {
      byMember[only.member]?.set(only.input, { key, from });
    }
  }
  return { byMember, problems };
}
