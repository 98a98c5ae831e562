import { describe, expect, it } from "vitest";
import type { Decision } from "../experiment/experiment-report.ts";
import { TestRandom } from "../test-random.ts";
import { commandRamp, commandsOf } from "./command-ramp.ts";
import { describeMove } from "./describe-move.ts";
import { fitRamp } from "./fit-ramp.ts";
import { nextRamp } from "./next-ramp.ts";
import { effectOf } from "./ramp-effect.ts";
import type { RampLook } from "./ramp-look.ts";
import { needsApproval, type RampPlan } from "./ramp-plan.ts";
import type { RampState } from "./ramp-state.ts";
import { HOUR_MS, KEEP, MISMATCH, planOf, REGRESSED, SHIP, START_MS, stepOf } from "./test-ramp.ts";

/** Walks of ramps: whatever happens, in whatever order. */
const WALKS = 4_000;
const MOVES_MAX = 60;

function planFor(random: TestRandom): RampPlan {
  const count = 1 + random.below(5);
  const steps = Array.from({ length: count }, (_, index) =>
    stepOf((index + 1) / count, {
      holdMs: random.below(3) * HOUR_MS,
      unitsMin: random.below(200),
      needsApproval: random.below(4) === 0,
    }),
  );
  return planOf({
    steps,
    start: random.pick(["auto", "manual"]),
    promote: random.pick(["auto", "approval", "off"]),
    noData: random.pick(["hold", "fail", "pass"]),
    graceMs: 2 * HOUR_MS,
    onRegression: random.pick(["rollback", "hold", "warn"]),
    onMismatch: random.pick(["rollback", "hold", "warn"]),
  });
}

function decisionFor(random: TestRandom): Decision {
  const rare = random.below(20);
  if (rare === 0) return REGRESSED;
  if (rare === 1) return MISMATCH;
  if (rare === 2) return { kind: "inconclusive", reason: "no_data", why: "none" };
  return random.pick([KEEP, KEEP, SHIP]);
}

function blindFor(random: TestRandom): readonly string[] {
  return random.below(10) === 0 ? ["errors of b has too little data"] : [];
}

function lookFor(random: TestRandom, plan: RampPlan, nowMs: number): RampLook {
  const isBlind = random.below(10) === 0;
  const units = ["a", "b"].map((arm) => ({ arm, count: random.below(1_000) }));
  const lastPredictionMs = random.below(5) === 0 ? undefined : nowMs - random.below(3 * HOUR_MS);
  const untilMs = nowMs - random.below(2) * random.below(HOUR_MS);
  const numbers = isBlind
    ? undefined
    : { untilMs, decision: decisionFor(random), units, lastPredictionMs, blind: blindFor(random) };
  const missing = random.below(10) === 0 ? ["arm b is not ready"] : [];
  const missingToStart = random.below(10) === 0 ? ["shadow"] : [];
  return { plan, observation: { missing, missingToStart, numbers }, nowMs };
}

function shareOf(state: RampState, plan: RampPlan): number {
  const { coverage, isActive, winner } = effectOf(state, plan);
  if (!isActive) return 0;
  return winner === undefined ? coverage : 1;
}

/** Everything that has to hold for the ramp to leave a step upwards, told a second time. */
function mayRise(before: RampState, look: RampLook, ranMs: number): boolean {
  if (before.kind !== "running") return false;
  const { plan, observation, nowMs } = look;
  const { numbers } = observation;
  const step = plan.steps[before.step];
  if (step === undefined || numbers === undefined || observation.missing.length > 0) return false;
  if (numbers.untilMs < before.sinceMs || ranMs < step.holdMs) return false;
  if (needsApproval(plan, before.step) && !before.isApproved) return false;
  const silentMs = nowMs - Math.max(numbers.lastPredictionMs ?? 0, before.sinceMs);
  const isPassed = silentMs >= plan.graceMs && plan.noData === "pass";
  if (silentMs >= plan.graceMs && !isPassed) return false;
  const isNobody = (numbers.lastPredictionMs ?? 0) < before.sinceMs;
  if (!isPassed && (isNobody || numbers.blind.length > 0)) return false;
  return isPassed || numbers.units.every(({ count }) => count >= step.unitsMin);
}

describe("a ramp, whatever happens", () => {
  const seed = Number(process.env["MILLRACE_TEST_SEED"] ?? Date.now() % 1_000_000);
  const random = new TestRandom(seed);

  it(`never skips a step, never rises without its conditions, and can always be aborted (seed ${seed})`, () => {
    let completions = 0;
    for (let walk = 0; walk < WALKS; walk++) {
      const plan = planFor(random);
      let state: RampState = { kind: "pending", why: "" };
      let nowMs = START_MS;
      /** Time in the step, pauses left out: counted apart from the state. */
      let ranMs = 0;
      for (let move = 0; move < 1 + random.below(MOVES_MAX); move++) {
        const passedMs = random.below(HOUR_MS) * (random.below(15) === 0 ? 1000 : 1);
        nowMs += passedMs;
        if (state.kind === "running") ranMs += passedMs;
        const before: RampState = state;
        const commands = commandsOf(before, plan);
        const isCommand = random.below(3) === 0;
        if (isCommand) {
          const command = random.pick([commands[0] ?? "abort", ...commands]);
          // An end by hand is rare, or no walk would get far.
          if (command !== "abort" || random.below(10) === 0) {
            state = commandRamp(before, plan, { command, why: "by ann", nowMs });
          }
          if (shareOf(state, plan) > shareOf(before, plan)) {
            expect([before.kind, state]).toMatchObject(["ready", { step: 0 }]);
          }
        } else {
          const look = lookFor(random, plan, nowMs);
          state = nextRamp(before, look);
          if (state.kind === "running" && before.kind === "running") {
            expect(state.step - before.step).toBeOneOf([0, 1]);
          } else if (state.kind === "running") {
            expect([before.kind, state.step]).toEqual([expect.stringMatching(/pending/), 0]);
          }
          const isRise = shareOf(state, plan) > shareOf(before, plan);
          if (isRise && before.kind === "running") expect(mayRise(before, look, ranMs)).toBe(true);
          if (state.kind === "completed" && before.kind !== "completed") {
            completions++;
            expect(before).toMatchObject({ kind: "running", step: plan.steps.length - 1 });
            expect(look.observation.numbers?.decision.kind).toBe("ship");
          }
        }
        const isNewStep =
          state.kind === "running" &&
          (before.kind !== "running" || before.step !== state.step) &&
          before.kind !== "paused";
        if (isNewStep) ranMs = 0;
        if (describeMove(before, state, plan) === undefined) {
          expect(shareOf(state, plan)).toBe(shareOf(before, plan));
        }
        expect(JSON.parse(JSON.stringify(state))).toEqual(state);
        const aborted = commandRamp(state, plan, { command: "abort", why: "", nowMs });
        expect(shareOf(aborted, plan)).toBe(0);
      }
    }
    expect(completions).toBeGreaterThan(WALKS / 100);
  });

  it(`never lets more take part when its steps are changed in the file (seed ${seed})`, () => {
    for (let walk = 0; walk < WALKS; walk++) {
      const [old, plan] = [planFor(random), planFor(random)];
      const step = random.below(old.steps.length);
      const state: RampState = random.pick([
        { kind: "running", step, sinceMs: START_MS, isApproved: true, waitsFor: [] },
        { kind: "paused", step, why: "", ranMs: 5, isApproved: true },
      ]);
      const before = old.steps.map(({ coverage }) => coverage);
      const fitted = fitRamp(state, before, plan, START_MS + HOUR_MS);
      expect(shareOf(fitted, plan)).toBeLessThanOrEqual(shareOf(state, old));
    }
  });
});
