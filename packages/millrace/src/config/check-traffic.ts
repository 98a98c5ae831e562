import { isDeepStrictEqual } from "node:util";
import type { ServiceConfig } from "./config.ts";
import type { ProblemLog } from "./problem-log.ts";

/** Checks what experiments and shadows of all services have in common. */
export function checkTraffic(services: readonly ServiceConfig[], log: ProblemLog): void {
  const experiments = new Map<string, string>();
  const shadows = new Map<string, string>();
  for (const { name: service, experiment, shadows: own, log: rows } of services) {
    const at = ["services", service, "traffic"];
    if (experiment !== undefined) {
      checkName(experiments, { service, name: experiment.name, at: [...at, "experiment"] }, log);
      const [first] = experiment.unit;
      if (first !== undefined && rows.unit !== undefined && !isDeepStrictEqual(first, rows.unit)) {
        const path = ["services", service, "log", "unit"];
        log.add(path, `found ${log.show(path)}, expected that of the experiment or none`);
      }
    }
    for (const { name } of own) checkName(shadows, { service, name, at: [...at, "shadow"] }, log);
  }
}

interface Named {
  readonly service: string;
  readonly name: string;
  readonly at: readonly string[];
}

/** Commands and routes know them by name alone. */
function checkName(
  taken: Map<string, string>,
  { service, name, at }: Named,
  log: ProblemLog,
): void {
  const other = taken.get(name);
  taken.set(name, service);
  if (other === undefined || other === service) return;
  log.add(
    at,
    `found the name "${name}", which service "${other}" uses already, expected another one`,
  );
}
