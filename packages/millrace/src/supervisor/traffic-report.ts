import type { Config, ServiceConfig } from "../config/config.ts";
import type {
  ReportedExperiment,
  ReportedShadow,
  TrafficReport,
} from "../control/releases/traffic-report.ts";
import { modelsIn } from "../graphs/graph-steps.ts";
import type { ServeStatus } from "../serve/serve-status.ts";
import type { Layers } from "./layers.ts";
import type { ConfigOrder } from "./serve-process.ts";

const NOBODY = "no serve process answers";

/**
 * Experiments and shadows as every process has them, and as the file alone does.
 * @param status of one of the serve processes; undefined where none answers.
 */
export function trafficReport(
  { file }: Pick<Layers, "file">,
  { config, overrideVersion }: ConfigOrder,
  status: ServeStatus | undefined,
): TrafficReport {
  const services = Object.values(config.services);
  const targets = services.flatMap(({ experiment }) => experiment?.arms.map(({ to }) => to) ?? []);
  const unready = [...new Set(targets)].flatMap((target) => {
    const why = status === undefined ? NOBODY : whyUnready(target, config, status);
    return why === undefined ? [] : [[target, why] as const];
  });
  const unreadyByName = Object.fromEntries(unready);
  return { overrideVersion, ...trafficIn(config, file.config), unready: unreadyByName };
}

/** @param file `config` without live changes. */
export function trafficIn(
  config: Config,
  file: Config,
): Pick<TrafficReport, "experiments" | "shadows"> {
  const services = Object.values(config.services);
  return {
    experiments: services.flatMap((service) => reportedExperiment(service, file) ?? []),
    shadows: services.flatMap((service) => reportedShadows(service, file)),
  };
}

function reportedExperiment(
  { name, experiment }: ServiceConfig,
  file: Config,
): ReportedExperiment | undefined {
  if (experiment === undefined) return undefined;
  const { coverage, isActive, winner } = file.services[name]?.experiment ?? experiment;
  return { service: name, config: experiment, file: { coverage, isActive, winner } };
}

function reportedShadows({ name, shadows }: ServiceConfig, file: Config): ReportedShadow[] {
  return shadows.map((config) => {
    const own = file.services[name]?.shadows.find((shadow) => shadow.name === config.name);
    return { service: name, config, file: { isExcluded: own?.isExcluded ?? config.isExcluded } };
  });
}

/** Why a model, or a service, cannot answer now; undefined when it can. */
function whyUnready(
  target: string,
  { services }: Config,
  { models, graphs }: ServeStatus,
): string | undefined {
  const graph = graphs.find(({ service }) => service === target);
  if (graph !== undefined && !graph.isReady) return graph.problem ?? "its graph is not made yet";
  const service = services[target];
  const names = service === undefined ? [target] : [...modelsIn(service.graph)];
  for (const name of names) {
    const model = models.find((one) => one.name === name);
    if (model?.isReady !== true) {
      return model?.problem ?? `model ${name} is ${model?.state.toLowerCase() ?? "not there"}`;
    }
  }
  return undefined;
}
