import type { JsonValue } from "../core/json.ts";
import type { OverloadConfig } from "./config.ts";
import { followGraph, reportUnknownName } from "./follow-graph.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { ConfigOutput } from "./schema.ts";

/** The service whose `overload` is resolved, and where to report. */
interface OverloadContext {
  readonly name: string;
  /** Model the service runs. */
  readonly model: string;
  readonly services: ConfigOutput["services"];
  readonly models: ReadonlySet<string>;
  readonly log: ProblemLog;
}

const REJECT: OverloadConfig = { kind: "reject" };

/** What a service does with a request its limits refuse; a fallback is followed to its model. */
export function resolveOverload(context: OverloadContext): OverloadConfig {
  const overload = context.services[context.name]?.overload ?? "reject";
  if (overload === "reject") return REJECT;
  // The tree holds plain data only: `interpolate` has checked that.
  if ("reply" in overload) return { kind: "reply", reply: overload.reply as JsonValue };
  return resolveFallback(overload.fallback, context);
}

function resolveFallback(fallback: string, context: OverloadContext): OverloadConfig {
  const { name, model, services, models, log } = context;
  const path = ["services", name, "overload", "fallback"];
  if (!models.has(fallback) && !Object.hasOwn(services, fallback)) {
    const known = [...models, ...Object.keys(services)];
    const key = ["overload", "fallback"];
    reportUnknownName({ service: name, key, written: fallback, known }, log);
    return REJECT;
  }
  const reference = followGraph(fallback, services, models, log);
  if (reference.kind === "broken") return REJECT;
  if (reference.model === model) {
    const found =
      fallback === model
        ? "which the service itself runs"
        : `which runs "${model}" as this service does`;
    const message = `found ${log.show(path)}, ${found}, expected another model`;
    log.add(path, message);
    return REJECT;
  }
  return { kind: "fallback", model: reference.model };
}
