import type { RateProfilePlan } from "../rate-profile.ts";
import { RampCurve } from "./ramp-curve.ts";
import type { RateCurve } from "./rate-curve.ts";
import { SineCurve } from "./sine-curve.ts";
import { StepCurve } from "./step-curve.ts";

/** @param durationMs of the measured time; a ramp needs an end, so its must be finite. */
export function createRateCurve(profile: RateProfilePlan, durationMs: number): RateCurve {
  switch (profile.kind) {
    case "constant":
      return new StepCurve([{ fromMs: 0, rate: profile.rate }]);
    case "ramp":
      return new RampCurve(profile.from, profile.to, durationMs);
    case "step":
      return new StepCurve(profile.steps);
    case "sine":
      return new SineCurve(profile);
    case "spike": {
      const { base, peak, atMs, forMs } = profile;
      return new StepCurve([
        { fromMs: 0, rate: base },
        { fromMs: atMs, rate: peak },
        { fromMs: atMs + forMs, rate: base },
      ]);
    }
  }
}
