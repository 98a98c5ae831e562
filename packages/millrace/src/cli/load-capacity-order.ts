import { UsageError } from "./command.ts";
import type { Flags } from "./flags.ts";
import type { TargetOrder } from "./load-target-order.ts";

export interface CapacityOrder {
  readonly isPrecise: boolean;
  readonly isApplied: boolean;
}

/** Undefined: one test, at the rate that was asked for. @throws UsageError */
export function readCapacity(flags: Flags, target: TargetOrder): CapacityOrder | undefined {
  if (!flags.has("find-capacity")) {
    const name = ["precise", "apply"].find((other) => flags.has(other));
    if (name !== undefined) throw new UsageError(`--${name} goes with --find-capacity`);
    return undefined;
  }
  const chosen = ["rate", "profile", "clients", "think", "duration", "warmup"];
  const other = chosen.find((name) => flags.has(name));
  if (other !== undefined) {
    throw new UsageError(`--find-capacity chooses rates and times: leave --${other} away`);
  }
  const arrivals = flags.text("arrivals");
  if (arrivals !== undefined && arrivals !== "constant" && arrivals !== "poisson") {
    throw new UsageError("--find-capacity goes with --arrivals constant or poisson, its default");
  }
  const output = ["junit", "output"].find((name) => flags.has(name));
  if (output !== undefined) {
    throw new UsageError(`--${output} is of one run: --find-capacity has --json and --html`);
  }
  if (flags.has("apply") && (target.kind !== "service" || target.url !== undefined)) {
    throw new UsageError("--apply goes with a service of the Millrace that runs in this folder");
  }
  return { isPrecise: flags.has("precise"), isApplied: flags.has("apply") };
}
