import type { Config, ServiceConfig } from "./config.ts";
import type { ConfigPath } from "./config-path.ts";
import type { ConfigTree } from "./config-tree.ts";
import type { ConfigWarning } from "./config-warning.ts";
import { originText } from "./problem.ts";

interface Finding {
  /** The key to change. */
  readonly at: ConfigPath;
  readonly message: string;
}

/** Experiments and shadows that run and can tell nothing. */
export function releaseWarnings(config: Config, tree: ConfigTree): readonly ConfigWarning[] {
  const findings = Object.values(config.services).flatMap((service) => [
    ...unloggedFindings(service, config),
    ...sameFindings(service),
  ]);
  return findings.map(({ at, message }) => ({
    message,
    location: originText(tree.placeOf(at, "value")),
  }));
}

/** Decisions and verdicts are made from the prediction log: without rows there is nothing to compare. */
function unloggedFindings(service: ServiceConfig, config: Config): readonly Finding[] {
  const why = whyUnlogged(service, config);
  if (why === undefined) return [];
  const { name, experiment, shadows } = service;
  const told = [
    ...(experiment === undefined ? [] : [`experiment "${experiment.name}" decides nothing`]),
    ...shadows.map((shadow) => `shadow "${shadow.name}" gets no verdict`),
  ];
  return told.map((text) => ({
    at: why.at,
    message: `${text}: predictions of service "${name}" are not logged, ${why.text}`,
  }));
}

function whyUnlogged(
  { name, log }: ServiceConfig,
  config: Config,
): { readonly at: ConfigPath; readonly text: string } | undefined {
  if (config.log.sink === "off") return { at: ["log", "sink"], text: "since log.sink is off" };
  if (config.stateDir === undefined) {
    return { at: ["state", "dir"], text: "since there is no state.dir" };
  }
  if (log.payload !== "off") return undefined;
  return { at: ["services", name, "log", "payload"], text: "since its log.payload is off" };
}

/** A model beside itself shows what chance does, which is a test of the machinery and none of a model. */
function sameFindings({ name, graph, experiment, shadows }: ServiceConfig): readonly Finding[] {
  const own = graph.kind === "model" ? graph.model : name;
  const at = ["services", name, "traffic"];
  const same = shadows.flatMap((shadow, index): Finding[] => {
    if (shadow.to !== own || experiment !== undefined) return [];
    const message = `shadow "${shadow.name}" is what service "${name}" runs itself`;
    return [{ at: [...at, "shadow", index, "to"], message: `${message}: they can only agree` }];
  });
  const targets = new Set(experiment?.arms.map(({ to }) => to));
  if (targets.size !== 1) return same;
  const message = `all arms of experiment "${experiment?.name ?? ""}" are the same`;
  return [
    ...same,
    { at: [...at, "experiment", "arms"], message: `${message}: they only differ by chance` },
  ];
}
