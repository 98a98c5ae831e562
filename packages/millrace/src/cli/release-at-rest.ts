import { analyseExperiment } from "../analysis/analyse-experiment.ts";
import { analyseShadow } from "../analysis/analyse-shadow.ts";
import type { Config } from "../config/config.ts";
import { describeCompare } from "../control/releases/describe-compare.ts";
import type { ExperimentStatus, ShadowStatus } from "../core/release/release-report.ts";
import type { QueryEngine } from "../ports/query-engine.ts";

const AT_REST =
  "no Millrace with a control role runs here, millrace up starts one: these are the numbers of the log alone";

/**
 * An experiment of the file as the log knows it: its ramp and what is in force are not known.
 * @returns undefined when the file has none of the name.
 */
export async function experimentAtRest(
  { services }: Config,
  name: string,
  engine: QueryEngine,
): Promise<ExperimentStatus | undefined> {
  const service = Object.values(services).find(({ experiment }) => experiment?.name === name);
  const experiment = service?.experiment;
  if (service === undefined || experiment === undefined) return undefined;
  const order = { service: service.name, experiment, sinceMs: 0, nowMs: Date.now() };
  const analysis = await analyseExperiment(engine, order);
  return {
    ...experiment,
    service: service.name,
    phase: analysis.phases.at(-1) ?? 1,
    ramp: undefined,
    analysis,
    decided: undefined,
    problem: AT_REST,
    events: [],
  };
}

/** Likewise a shadow. */
export async function shadowAtRest(
  { services }: Config,
  name: string,
  engine: QueryEngine,
): Promise<ShadowStatus | undefined> {
  for (const service of Object.values(services)) {
    const shadow = service.shadows.find((one) => one.name === name);
    if (shadow === undefined) continue;
    const order = { service: service.name, shadow, sinceMs: 0, nowMs: Date.now() };
    const { to, share, isExcluded, verdict } = shadow;
    return {
      name,
      service: service.name,
      to,
      share,
      compare: describeCompare(shadow.compare),
      isExcluded,
      required: verdict,
      skipped: {},
      analysis: await analyseShadow(engine, order),
      problem: AT_REST,
      events: [],
    };
  }
  return undefined;
}

/** Names of the file's experiments and shadows. */
export function namesIn(
  { services }: Config,
  plural: "experiments" | "shadows",
): readonly string[] {
  return Object.values(services).flatMap(({ experiment, shadows }) => {
    if (plural === "shadows") return shadows.map(({ name }) => name);
    return experiment === undefined ? [] : [experiment.name];
  });
}
