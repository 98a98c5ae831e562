import type { ConfigPath } from "./config-path.ts";
import type { ProblemLog } from "./problem-log.ts";
import { nameOf } from "./resolve-shadows.ts";
import type { ConfigOutput } from "./schema.ts";
import type { WrittenStep } from "./schema-step.ts";

/** A step that is written where an arm, a shadow or what stands in for a service could be a name. */
export interface PlacedStep {
  /** Of the service it is: `iris.treatment`. */
  readonly name: string;
  readonly step: WrittenStep;
  readonly at: ConfigPath;
}

/** What a step is called that stands in for its service: `iris.fallback`. */
export const FALLBACK = "fallback";

/** Name of the service that a step of an arm or a shadow is. */
export function placedName(service: string, name: string): string {
  return `${service}.${name}`;
}

/** All such steps of the file; one whose service has the name of another one is reported. */
export function findPlacedSteps(
  services: ConfigOutput["services"],
  log: ProblemLog,
): readonly PlacedStep[] {
  const found: PlacedStep[] = [];
  const taken = new Set(Object.keys(services));
  const add = (service: string, name: string, step: WrittenStep, at: ConfigPath): void => {
    if (typeof step === "string") return;
    const own = placedName(service, name);
    if (taken.has(own)) {
      log.add(at, `its service would be "${own}", and there is one of that name already`);
      return;
    }
    taken.add(own);
    found.push({ name: own, step, at });
  };
  for (const [service, { traffic, overload }] of Object.entries(services)) {
    if (typeof overload === "object" && "fallback" in overload) {
      add(service, FALLBACK, overload.fallback, ["services", service, "overload", "fallback"]);
    }
    const at = ["services", service, "traffic"];
    for (const [arm, step] of Object.entries(traffic.experiment?.arms ?? {})) {
      add(service, arm, step, [...at, "experiment", "arms", arm]);
    }
    traffic.shadow.forEach(({ name, to }, index) => {
      add(service, name ?? nameOf(to, index), to, [...at, "shadow", index, "to"]);
    });
  }
  return found;
}
