import type { LoadPlan } from "../load-plan.ts";
import { LoadInputError } from "../load-input-error.ts";
import { BodyFiles } from "./body-files.ts";
import { readHttpTargets } from "./http-targets.ts";
import { readJsonTargets } from "./json-targets.ts";
import type { TargetsOptions } from "./targets-options.ts";

/**
 * Reads vegeta's targets. A target in JSON may have a `weight`; where any has, targets are drawn.
 * @throws LoadInputError with the line and what is allowed there.
 */
export async function readTargets(
  text: string,
  options: TargetsOptions,
): Promise<Pick<LoadPlan, "targets" | "choice">> {
  const bodies = new BodyFiles(options.folders, options.filling);
  const targets =
    options.format === "http"
      ? await readHttpTargets(text, options, bodies)
      : readJsonTargets(text, options, bodies);
  if (targets.length === 0) throw new LoadInputError(`${options.file}: there are no targets`);
  const isWeighted = targets.some((target) => target.weight !== 1);
  return { targets, choice: isWeighted ? "by-weight" : "in-turn" };
}
