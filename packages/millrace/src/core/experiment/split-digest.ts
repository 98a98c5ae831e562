import type { ExperimentSplit } from "./unit-assigner.ts";

/**
 * What makes a split what it is, as text: two splits that give every unit the same arm have the same text. It is what a
 * phase is numbered by, so a change of anything in it begins a new phase.
 *
 * Coverage is no part of it, as it moves no unit from one arm to another; nor is what the arms lead to, so that a fix in
 * an arm does not begin anew. The order of the arms is one: their parts lie in that order.
 */
export function splitDigest({ arms, salt, namespace }: ExperimentSplit): string {
  const part = namespace === undefined ? null : [namespace.name, namespace.from, namespace.to];
  const shares = arms.map(({ name, weight }) => [name, roundedShare(weight)]);
  return JSON.stringify({ arms: shares, salt, namespace: part });
}

/** Without what division leaves in the last digits: 60 of 100 and 3 of 5 are one. */
function roundedShare(weight: number): number {
  return Number(weight.toPrecision(12));
}
