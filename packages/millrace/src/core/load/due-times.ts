import type { DueTimes } from "./arrivals.ts";
import { ConstantDueTimes } from "./constant-due-times.ts";
import type { DueTimesPlan } from "./due-times-plan.ts";
import { PoissonDueTimes } from "./poisson-due-times.ts";
import { RecordedDueTimes } from "./recorded-due-times.ts";

/** Due times of the starts that fall to one worker; together, the workers have those of one generator. */
export function createDueTimes(plan: DueTimesPlan): DueTimes {
  const { arrivals } = plan;
  if (arrivals.kind === "times") return new RecordedDueTimes(arrivals.timesMs, plan);
  return arrivals.spacing === "poisson"
    ? new PoissonDueTimes(arrivals.profile, plan)
    : new ConstantDueTimes(arrivals.profile, plan);
}
