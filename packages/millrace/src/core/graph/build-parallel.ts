import { combineArgmax } from "./combine-argmax.ts";
import { combineEach } from "./combine-each.ts";
import { combineMean } from "./combine-mean.ts";
import { combineVote } from "./combine-vote.ts";
import type { Branch, Combiner } from "./branch.ts";
import type { GraphProblem, StepBuild } from "./graph-problem.ts";
import type { BranchPlan } from "./parallel-run.ts";
import { ParallelStep } from "./parallel-step.ts";
import { shareInputs } from "./share-inputs.ts";

export interface ParallelOptions {
  readonly name: string;
  /** At least one; in the order of the answer. */
  readonly branches: readonly Branch[];
  /**
   * `each`: one output per branch. `argmax`: the branch with the largest score. `mean`: the mean of the predictions.
   * `vote`: the label most branches chose. Or what the caller brings.
   */
  readonly combine: "each" | "argmax" | "mean" | "vote" | Combiner;
  /** `fail`: the first branch that fails fails all. `omit`: it is left out and named, unless all fail. */
  readonly onError: "fail" | "omit";
  /** A branch that takes longer has failed; undefined leaves it the time of the request. */
  readonly timeoutMs?: number | undefined;
  /** Deactivated branches are not run (`omit`, the default), or run, awaited and kept for the log (`observe`). */
  readonly deactivated?: "omit" | "observe";
}

const COMBINERS = {
  each: combineEach,
  argmax: combineArgmax,
  mean: combineMean,
  vote: combineVote,
};

/** Checks that the branches take and give what goes together. */
export function buildParallel(options: ParallelOptions): StepBuild {
  const { name, branches, combine, onError, timeoutMs, deactivated = "omit" } = options;
  const problems: GraphProblem[] = [];
  if (branches.length === 0) {
    problems.push({ path: ["parallel"], message: "found no branch, expected at least one" });
  }
  const active = branches.filter(isActive);
  const combiner = typeof combine === "string" ? COMBINERS[combine](active, problems) : combine;
  problems.push(...duplicateProblems(combiner), ...thresholdProblems(branches, combiner));
  const shared = shareInputs(
    branches.map((branch) => ({
      title: `branch "${branch.name}"`,
      path: ["parallel", branch.name],
      inputs: branch.step.inputs,
    })),
  );
  problems.push(...shared.problems);
  if (problems.length > 0) return { kind: "problems", problems };
  const plans = branches.map((branch, i): BranchPlan => ({
    branch,
    isObserved: !isActive(branch),
    edges: shared.edges[i] ?? [],
  }));
  const isRun = (plan: BranchPlan): boolean => !plan.isObserved || deactivated === "observe";
  const step = new ParallelStep({
    name,
    inputs: shared.inputs,
    plans: plans.filter(isRun),
    omitted: plans.filter((plan) => !isRun(plan)).map(({ branch }) => branch),
    combiner,
    onError,
    timeoutMs,
  });
  return { kind: "step", step };
}

function isActive(branch: Branch): boolean {
  return branch.isActive !== false;
}

function duplicateProblems({ outputs }: Combiner): GraphProblem[] {
  const names = outputs.map(({ name }) => name);
  const twice = new Set(names.filter((name, i) => names.indexOf(name) !== i));
  return [...twice].map((name) => ({
    path: ["parallel"],
    message: `two outputs are named "${name}", expected different names of branches`,
  }));
}

/** A threshold that nothing looks at would be a surprise. */
function thresholdProblems(branches: readonly Branch[], { kind }: Combiner): GraphProblem[] {
  if (kind === "each") return [];
  return branches
    .filter(({ threshold }) => threshold !== undefined)
    .map(({ name, threshold }) => ({
      path: ["parallel", name],
      message: `found threshold ${threshold ?? ""} with combine: ${kind}, expected combine: each`,
    }));
}
