/** How many starts a second are due, over the time of a load test. Rates are in starts a second, times in ms. */
export type RateProfilePlan =
  | { readonly kind: "constant"; readonly rate: number }
  /** Straight from one rate to the other over the whole time. */
  | { readonly kind: "ramp"; readonly from: number; readonly to: number }
  /** Each step holds until the next one begins; the first one begins at 0. */
  | {
      readonly kind: "step";
      readonly steps: readonly { readonly fromMs: number; readonly rate: number }[];
    }
  /** `mean + amplitude · sin(2π t / periodMs)`; the amplitude is at most the mean. */
  | {
      readonly kind: "sine";
      readonly mean: number;
      readonly amplitude: number;
      readonly periodMs: number;
    }
  | {
      readonly kind: "spike";
      readonly base: number;
      readonly peak: number;
      readonly atMs: number;
      readonly forMs: number;
    };
