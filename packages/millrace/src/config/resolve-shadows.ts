import type { ConfigPath } from "./config-path.ts";
import type { ProblemLog } from "./problem-log.ts";
import { resolveCodeFile } from "./resolve-work-step.ts";
import type { CompareConfig, ShadowConfig } from "./shadow-config.ts";
import type { ConfigOutput } from "./schema.ts";

type WrittenTraffic = ConfigOutput["services"][string]["traffic"];
type WrittenShadow = WrittenTraffic["shadow"][number];

/** The service whose shadows are resolved, and where to report. */
export interface ShadowsContext {
  readonly service: string;
  readonly traffic: WrittenTraffic;
  /** Folder that relative paths start from. */
  readonly folder: string;
  /** What each shadow leads to, by its place in the list; undefined for one that leads nowhere, which is reported. */
  readonly targets: readonly (string | undefined)[];
  readonly log: ProblemLog;
}

/** The shadows of a service; those that lead nowhere are left out. */
export async function resolveShadows(context: ShadowsContext): Promise<ShadowConfig[]> {
  const { service, traffic, targets } = context;
  const at = ["services", service, "traffic"];
  const names = traffic.shadow.map(({ name, to }, index) => name ?? nameOf(to, index));
  checkNames(names, at, context);
  const shadows: ShadowConfig[] = [];
  for (const [index, written] of traffic.shadow.entries()) {
    const to = targets[index];
    const name = names[index] as string;
    const compare = await compareOf(written.compare, [...at, "shadow", index, "compare"], context);
    if (to === undefined) continue;
    shadows.push({
      name,
      to,
      share: written.percent,
      compare,
      timeoutMs: written.timeout,
      concurrency: written.concurrency,
      queue: written.queue,
      isExcluded: traffic.excluded[name] === true,
      verdict: verdictOf(written.verdict),
    });
  }
  return shadows;
}

/** @returns the name of a shadow that the file does not name. */
export function nameOf(to: WrittenShadow["to"], index: number): string {
  return typeof to === "string" ? to : `shadow-${index + 1}`;
}

function checkNames(
  names: readonly string[],
  at: ConfigPath,
  { traffic, log }: ShadowsContext,
): void {
  names.forEach((name, index) => {
    if (names.indexOf(name) === index) return;
    const message = `found "${name}" again, expected a name of its own`;
    log.add([...at, "shadow", index, "name"], message);
  });
  for (const name of Object.keys(traffic.excluded)) {
    if (names.includes(name)) continue;
    const there = names.length === 0 ? "there is none" : `there is ${names.join(", ")}`;
    log.add([...at, "excluded", name], `found "${name}", expected a shadow: ${there}`);
  }
}

async function compareOf(
  written: WrittenShadow["compare"],
  at: ConfigPath,
  context: ShadowsContext,
): Promise<CompareConfig> {
  if (typeof written === "object") {
    return "topK" in written
      ? { kind: "top-k", k: written.topK }
      : { kind: "tolerance", tolerance: written.tolerance };
  }
  if (written === "auto" || written === "equal" || written === "label") return { kind: written };
  return { kind: "function", path: await resolveCodeFile(written, at, context) };
}

function verdictOf(written: WrittenShadow["verdict"]): ShadowConfig["verdict"] {
  return {
    agreementMin: written.agreement,
    errorDifferenceMax: written.errors,
    latencyRatioMax: written.latency,
    pairsMin: written.pairs,
    lengthMinMs: written.lengthMin,
    everyMs: written.every,
    excludes: written.exclude,
  };
}
