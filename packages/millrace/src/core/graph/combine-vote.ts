import { labelRows } from "../tensor/argmax.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Branch, BranchResult, Combiner } from "./branch.ts";
import { branchPrediction, commonRowCount, scoreProblem } from "./branch-scores.ts";
import type { GraphProblem } from "./graph-problem.ts";
import { predictionSpec } from "./prediction-of.ts";

/**
 * For each row the label that most branches chose: `label` BYTES and `votes` INT32, the branches that chose it, both
 * `[batch]`. A branch chooses the label of its largest score. Of labels with equally many votes the one wins whose
 * voters are surer, by the mean of their scores; then the first by name.
 */
export function combineVote(branches: readonly Branch[], problems: GraphProblem[]): Combiner {
  for (const branch of branches) {
    const problem = voteProblem(branch);
    if (problem !== undefined) problems.push(problem);
  }
  return {
    kind: "vote",
    outputs: [
      { name: "label", datatype: "BYTES", shape: [-1] },
      { name: "votes", datatype: "INT32", shape: [-1] },
    ],
    prediction: 0,
    labels: labelsOf(branches),
    score: 0,
    combine: (results) => {
      const rows = commonRowCount(results);
      const ballots = results.map(ballotOf);
      const label = new Array<string>(rows);
      const votes = new Int32Array(rows);
      for (let row = 0; row < rows; row++) {
        const winner = count(ballots, row);
        label[row] = winner.label;
        votes[row] = winner.votes;
      }
      return [
        { name: "label", datatype: "BYTES", shape: [rows], data: label },
        { name: "votes", datatype: "INT32", shape: [rows], data: votes },
      ];
    },
  };
}

/** Every label that one of them may choose; undefined where a branch gives texts of its own. */
function labelsOf(branches: readonly Branch[]): readonly string[] | undefined {
  if (branches.some(({ step }) => step.labels === undefined)) return undefined;
  return [...new Set(branches.flatMap(({ step }) => step.labels ?? []))];
}

function voteProblem(branch: Branch): GraphProblem | undefined {
  const { name, step } = branch;
  if (predictionSpec(step)?.datatype === "BYTES") return undefined;
  if (step.labels !== undefined) return scoreProblem(branch);
  const message = `branch "${name}" has no labels to vote with, add models.<name>.labels`;
  return { path: ["parallel", name], message };
}

/** What a branch chose in each row, and how sure it is. */
interface Ballot {
  readonly labels: readonly string[];
  readonly scores: Float64Array;
}

function ballotOf(result: BranchResult): Ballot {
  const prediction = branchPrediction(result);
  const labels = labelRows(prediction, result.branch.step.labels);
  return { labels, scores: surenessOf(prediction, labels.length) };
}

/** The largest score of each row; 1 where the prediction is the class itself. */
function surenessOf({ data, datatype }: Tensor, rows: number): Float64Array {
  const scores = new Float64Array(rows).fill(1);
  if (datatype !== "FP32" && datatype !== "FP64") return scores;
  const size = data.length / rows;
  for (let row = 0; row < rows; row++) {
    let best = -Infinity;
    for (let i = row * size; i < (row + 1) * size; i++) {
      const score = data[i] as number;
      if (score > best) best = score;
    }
    scores[row] = best;
  }
  return scores;
}

interface Tally {
  readonly label: string;
  votes: number;
  scoreSum: number;
}

function count(ballots: readonly Ballot[], row: number): Tally {
  const tallies = new Map<string, Tally>();
  for (const { labels, scores } of ballots) {
    const label = labels[row] as string;
    const score = scores[row] as number;
    const tally = tallies.get(label);
    if (tally === undefined) tallies.set(label, { label, votes: 1, scoreSum: score });
    else {
      tally.votes++;
      tally.scoreSum += score;
    }
  }
  return [...tallies.values()].reduce((best, tally) => (isAhead(tally, best) ? tally : best));
}

/** Where as many voted for both, the sums of their scores compare as the means do. */
function isAhead(a: Tally, b: Tally): boolean {
  if (a.votes !== b.votes) return a.votes > b.votes;
  return a.scoreSum === b.scoreSum ? a.label < b.label : a.scoreSum > b.scoreSum;
}
