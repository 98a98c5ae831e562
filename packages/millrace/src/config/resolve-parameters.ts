import type { ParametersConfig, StepConfig } from "./config.ts";
import { didYouMean } from "./did-you-mean.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { ConfigOutput } from "./schema.ts";
import type { ConfigPath } from "./config-path.ts";
import type { ServiceTargets } from "./service-targets.ts";

type WrittenParameters = ConfigOutput["services"][string]["parameters"];

/** The service whose `parameters` are resolved, and where to report. */
interface ServiceParameters {
  readonly name: string;
  readonly parameters: WrittenParameters;
  readonly graph: StepConfig;
  readonly targets: ServiceTargets;
  readonly log: ProblemLog;
}

/** As in the published example of the pattern. */
const THRESHOLD_DEFAULT = 0.95;

/** The switches of a service; reports those of branches that it has not. */
export function resolveParameters(service: ServiceParameters): ParametersConfig {
  const { activate, retries } = service.parameters;
  const { default: thresholdDefault = THRESHOLD_DEFAULT, ...thresholds } =
    service.parameters.thresholds ?? {};
  const branches = typeof activate === "boolean" ? {} : activate;
  checkBranches(service, branches, thresholds);
  return {
    isActive: activate !== false,
    branches,
    deactivated: resolveDeactivated(service),
    thresholds: service.parameters.thresholds === undefined ? undefined : thresholds,
    thresholdDefault,
    retries,
  };
}

function resolveDeactivated({
  name,
  parameters,
  targets,
}: ServiceParameters): ParametersConfig["deactivated"] {
  const { deactivated } = parameters;
  if (typeof deactivated !== "object") return deactivated === 503 ? "503" : deactivated;
  const at = ["services", name, "parameters", "deactivated", "fallback"];
  const fallback = targets.findOther(deactivated.fallback, at, name);
  return fallback === undefined ? "503" : { fallback };
}

interface KnownBranch {
  readonly name: string;
  /** Is its score compared with a threshold? */
  readonly isCompared: boolean;
}

function checkBranches(
  { name, parameters, graph, log }: ServiceParameters,
  switched: Readonly<Record<string, boolean>>,
  thresholds: Readonly<Record<string, number>>,
): void {
  const known = branchesIn(graph);
  const at = ["services", name, "parameters"];
  for (const branch of Object.keys(switched)) {
    checkBranch(branch, known, [...at, "activate", branch], log);
  }
  for (const branch of Object.keys(thresholds)) {
    const own = [...at, "thresholds", branch];
    checkBranch(branch, known, own, log);
    const all = known.filter((one) => one.name === branch);
    if (all.length > 0 && all.every(({ isCompared }) => !isCompared)) {
      log.add(own, `branch "${branch}" has no threshold: its parallel is not combine: each`);
    }
  }
  if (parameters.thresholds === undefined || known.some(({ isCompared }) => isCompared)) return;
  log.add([...at, "thresholds"], "the graph has no parallel with combine: each to compare");
}

function checkBranch(
  branch: string,
  known: readonly KnownBranch[],
  at: ConfigPath,
  log: ProblemLog,
): void {
  const names = [...new Set(known.map(({ name }) => name))];
  if (names.includes(branch)) return;
  const allowed =
    names.length === 0 ? "none: the graph has no parallel" : `one of ${names.join(", ")}`;
  const message = `found branch "${branch}", expected ${allowed}`;
  log.add(at, message, { allowed, didYouMean: didYouMean(branch, names) });
}

/** Branches of all parallels in a graph, those of the same name too. */
function branchesIn(step: StepConfig): readonly KnownBranch[] {
  switch (step.kind) {
    case "sequence":
      return step.members.flatMap(({ step: member, onError }) => [
        ...branchesIn(member),
        ...(typeof onError === "string" ? [] : branchesIn(onError)),
      ]);
    case "parallel": {
      const isCompared = step.combine === "each";
      return step.branches.flatMap((branch) => [
        { name: branch.name, isCompared },
        ...branchesIn(branch),
      ]);
    }
    case "switch":
      return [...step.cases.map(({ to }) => to), step.default].flatMap(branchesIn);
    default:
      return [];
  }
}
