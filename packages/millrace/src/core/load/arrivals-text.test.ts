import { expect, it } from "vitest";
import type { ArrivalsPlan } from "./arrivals.ts";
import { arrivalsText } from "./arrivals-text.ts";
import type { RateProfilePlan } from "./rate-profile.ts";

function open(
  profile: RateProfilePlan,
  spacing: "constant" | "poisson" = "constant",
): ArrivalsPlan {
  return { kind: "open", profile, spacing };
}

it.each([
  ["500/s, constant", open({ kind: "constant", rate: 500 })],
  ["33.333/s, Poisson", open({ kind: "constant", rate: 100 / 3 }, "poisson")],
  ["1/s rising to 1000/s, constant", open({ kind: "ramp", from: 1, to: 1000 })],
  [
    "200/s from 0 s, 400/s from 10 s, constant",
    open({
      kind: "step",
      steps: [
        { fromMs: 0, rate: 200 },
        { fromMs: 10_000, rate: 400 },
      ],
    }),
  ],
  [
    "300/s ± 100/s every 60 s, constant",
    open({ kind: "sine", mean: 300, amplitude: 100, periodMs: 60_000 }),
  ],
  [
    "100/s with 2000/s at 20 s for 5 s, constant",
    open({ kind: "spike", base: 100, peak: 2000, atMs: 20_000, forMs: 5000 }),
  ],
  [
    "8 clients in turn, each next request right after the answer",
    { kind: "closed", clients: 8, thinkMs: 0 },
  ],
  [
    "8 clients in turn, each next request 50 ms after the answer",
    { kind: "closed", clients: 8, thinkMs: 50 },
  ],
  ["3 recorded starts in 2.5 s", { kind: "times", timesMs: Float64Array.of(0, 10, 2500) }],
] satisfies readonly (readonly [string, ArrivalsPlan])[])(
  "arrivalsText() says %s",
  (text, arrivals) => {
    expect(arrivalsText(arrivals)).toBe(text);
  },
);
