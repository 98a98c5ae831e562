import type { Decision } from "./experiment-report.ts";

/**
 * With `fixed` an experiment has one look: what it found stays, for who looks until something is found finds things that are
 * not there. Guardrails are always valid, and a broken split is no result, so both are taken as they come.
 * @param before latest decision of this evidence but `keep_running`; undefined before there is one.
 */
export function keptDecision(
  method: "sequential" | "fixed",
  before: Decision | undefined,
  decision: Decision,
): Decision {
  if (method === "sequential" || before === undefined || !isLook(before)) return decision;
  return isLook(decision) || decision.kind === "keep_running" ? before : decision;
}

function isLook(decision: Decision): boolean {
  if (decision.kind === "inconclusive") return decision.reason === "too_long";
  return decision.kind === "ship";
}
