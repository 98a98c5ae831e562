import type { JsonValue } from "../core/json.ts";
import type { OverloadConfig } from "./config.ts";
import { FALLBACK, placedName } from "./placed-steps.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { ConfigOutput } from "./schema.ts";
import type { ServiceTargets } from "./service-targets.ts";

/** The service whose `overload` is resolved, and where to report. */
interface OverloadContext {
  readonly name: string;
  readonly service: ConfigOutput["services"][string];
  readonly targets: ServiceTargets;
  readonly log: ProblemLog;
}

const REJECT: OverloadConfig = { kind: "reject" };

/** What a service does with a request its limits refuse; a fallback is followed to what it runs. */
export function resolveOverload({ name, service, targets, log }: OverloadContext): OverloadConfig {
  const { overload, cache } = service;
  const at = ["services", name, "overload"];
  if (overload === "reject") return REJECT;
  if (overload === "cached") {
    if (cache.prediction !== undefined) return { kind: "cached" };
    log.add(at, `found "cached", expected cache.prediction beside it: nothing is cached without`);
    return REJECT;
  }
  // The tree holds plain data only: `interpolate` has checked that.
  if ("reply" in overload) return { kind: "reply", reply: overload.reply as JsonValue };
  const { fallback } = overload;
  const model =
    typeof fallback === "string"
      ? targets.findOther(fallback, [...at, "fallback"], name)
      : targets.of(placedName(name, FALLBACK));
  return model === undefined ? REJECT : { kind: "fallback", model };
}
