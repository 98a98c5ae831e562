import { isDeepStrictEqual } from "node:util";
import { percentText } from "../core/rules/predicate-text.ts";
import type { ServiceConfig } from "./config.ts";
import type { RequestValue } from "./request-value.ts";
import type { ConfigPath } from "./config-path.ts";
import type { ExperimentConfig } from "./experiment-config.ts";
import type { ProblemLog } from "./problem-log.ts";

/** Checks what experiments and shadows of all services have in common. */
export function checkTraffic(services: readonly ServiceConfig[], log: ProblemLog): void {
  const experiments = new Map<string, string>();
  const shadows = new Map<string, string>();
  const parts: NamespacePart[] = [];
  for (const { name: service, experiment, shadows: own, log: rows } of services) {
    const at = ["services", service, "traffic"];
    if (experiment !== undefined) {
      const { name, namespace } = experiment;
      checkName(experiments, { service, name, at: [...at, "experiment", "name"] }, log);
      checkUnit(service, experiment, rows.unit, log);
      if (namespace !== undefined) {
        const part = { ...namespace, experiment: name, at: [...at, "experiment", "namespace"] };
        checkNamespace(parts, part, log);
        parts.push(part);
      }
    }
    own.forEach(({ name }, index) => {
      checkName(shadows, { service, name, at: [...at, "shadow", index, "name"] }, log);
    });
  }
}

interface Named {
  readonly service: string;
  readonly name: string;
  readonly at: ConfigPath;
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
  const message = `found the name "${name}", which service "${other}" uses already`;
  log.add(at, `${message}, expected another one`);
}

/** A row has one unit: who takes part, and whom feedback is for, is the same person. */
function checkUnit(
  service: string,
  { unit: [first] }: ExperimentConfig,
  logged: RequestValue | undefined,
  log: ProblemLog,
): void {
  if (first === undefined || logged === undefined || isDeepStrictEqual(first, logged)) return;
  const path = ["services", service, "log", "unit"];
  log.add(path, `found ${log.show(path)}, expected that of the experiment or none`);
}

interface NamespacePart {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly experiment: string;
  readonly at: ConfigPath;
}

/** A unit in two parts would be in two experiments that must not overlap. */
function checkNamespace(
  others: readonly NamespacePart[],
  { name, from, to, at }: NamespacePart,
  log: ProblemLog,
): void {
  const other = others.find((one) => one.name === name && one.from < to && from < one.to);
  if (other === undefined) return;
  const taken = `${percentText(other.from)} to ${percentText(other.to)}`;
  const message = `overlaps the part of experiment "${other.experiment}", ${taken}`;
  log.add(at, `${message}, expected units of its own`);
}
