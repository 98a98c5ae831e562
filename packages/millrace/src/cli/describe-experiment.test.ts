import { describe, expect, it } from "vitest";
import type { ExperimentAnalysis } from "../core/experiment/experiment-report.ts";
import type { ExperimentStatus } from "../core/release/release-report.ts";
import { describeExperiment, describeExperiments } from "./describe-experiment.ts";
import { EXPERIMENT } from "./test-status.ts";

const WIDE = { width: 100, tableWidth: Infinity, isUnicode: true, isColored: false };
const NARROW = { width: 50, tableWidth: 50, isUnicode: false, isColored: false };

const ANALYSIS = EXPERIMENT.analysis as ExperimentAnalysis;

describe("describeExperiment()", () => {
  it("shows what is decided and why, the ramp, the numbers and a picture of them", () => {
    expect(describeExperiment(EXPERIMENT, WIDE)).toBe(`\
experiment  rf-2026-11 of service iris, phase 2
arms        control → iris-svc 60 %, treatment → iris-rf 40 %
coverage    20 % of the units take part
decision    keep running: purchase is unclear
window      from 2026-11-19T16:00:00Z until 2026-11-21T16:00:00Z, computed in 120.4 ms
split       exposed units 6,000 : 4,000, expected 6,000 : 4,000 (p 1): as the weights say
ramp        running, step 2 of 3 (20 %)
since       2026-11-21T15:00:00Z
waits for   time: 2h are left
            approval
steps       2 %  [20 % then approval]  100 %

arm        units  predictions  errors  p50 ms  p95 ms  p99 ms  weight
---------  -----  -----------  ------  ------  ------  ------  ------
control    6,000       24,000   0.1 %   1.234     3.4       5    60 %
treatment  4,000       16,000  0.12 %                            40 %

metric    arm        state    difference           interval        p  relative  control    mean  units  role       CUPED
--------  ---------  -------  ----------  -----------------  -------  --------  -------  ------  -----  ---------  -----
purchase  treatment  unclear     +1.2 pp  -0.4 pp … +2.8 pp     0.31     +12 %     10 %  11.2 %  4,000  primary    -40 %
revenue   treatment  better       +1.154      +0.2 … +2.109  <0.0001   +9.35 %    12.35    13.5  4,000  secondary
errors    treatment  safe       +0.02 pp   at most +0.11 pp              +20 %    0.1 %  0.12 %  4,000  guardrail

purchase treatment -0.4 pp                  ├──┼────────●──────────┤ +2.8 pp
revenue treatment     +0.2                     │ ├────────●────────┤ +2.109
errors treatment           ◄───────────────────┼───●───────────────┤ +0.11 pp

events
  2026-11-21T15:00:00Z  step 2 of 3 (20 %), by ramp: nothing was left
  2026-11-21T14:00:00Z  resumed, by ann
`);
  });

  it("keeps to the width of the terminal, and to ASCII in its pictures", () => {
    const text = describeExperiment(EXPERIMENT, NARROW);
    const long = text
      .split("\n")
      .filter((line) => line.length > 50 && !line.includes("do not fit"));
    expect(long).toEqual([]);
    expect(text).toMatch(/^purchase treatment -0\.4 pp +\[\+-*o-*\] \+2\.8 pp$/m);
    expect(text).toMatch(/^errors treatment +<-+\+-*o-*\] \+0\.11 pp$/m);
  });

  it("paints what is well green and what is not red, where that may be", () => {
    const [metric] = ANALYSIS.metrics;
    const [comparison] = metric?.comparisons ?? [];
    if (metric === undefined || comparison === undefined) throw new Error("there is none");
    const colors = (["better", "regressed", "unclear"] as const).map((state) => {
      const metrics = [{ ...metric, comparisons: [{ ...comparison, state }] }];
      const status = { ...EXPERIMENT, analysis: { ...ANALYSIS, metrics } };
      const text = describeExperiment(status, { ...WIDE, isColored: true });
      return text.split("\u001b[")[1]?.slice(0, 2);
    });
    expect(colors).toEqual(["32", "31", undefined]);
  });

  it("says that nothing is known yet, or why, and leaves out what is not so", () => {
    const status: ExperimentStatus = {
      ...EXPERIMENT,
      isActive: false,
      analysis: undefined,
      ramp: undefined,
      problem: "the log cannot be asked",
      events: [],
    };
    expect(describeExperiment(status, WIDE)).toBe(`\
experiment  rf-2026-11 of service iris, phase 2
arms        control → iris-svc 60 %, treatment → iris-rf 40 %
coverage    20 % of the units take part
active      no: everyone gets the control arm
decision    none yet
ramp        none: the coverage stays as it is
problem     the log cannot be asked
`);
  });

  it("shows why numbers cannot be trusted, and what they are made of", () => {
    const wrong = { counts: [900, 500], expected: [840, 560], statistic: 10.7 };
    const analysis: ExperimentAnalysis = {
      ...ANALYSIS,
      phases: [1, 2],
      multipleExposures: 3,
      sampleRatios: [
        ...ANALYSIS.sampleRatios,
        { ...wrong, of: "labelled", pValue: 0.00007, sequentialPValue: 0.004, isMismatch: true },
      ],
      decision: { kind: "inconclusive", reason: "sample_ratio_mismatch", why: "of labelled units" },
    };
    const text = describeExperiment({ ...EXPERIMENT, analysis }, WIDE);
    expect(text).toContain("decision    inconclusive (sample ratio mismatch): of labelled units\n");
    expect(text).toContain("phases      1, 2, each by itself and then combined\n");
    expect(text).toContain(
      "split       labelled units 900 : 500, expected 840 : 560 (p 0.004): NOT as the weights say\n",
    );
    expect(text).toContain("left out    3 units that were in several arms\n");
  });

  it("tells of a decision that was made of other numbers", () => {
    const decision = { kind: "rollback", why: "errors regressed" } as const;
    const decided = { ...ANALYSIS, computedAtMs: 0, decision };
    expect(describeExperiment({ ...EXPERIMENT, decided }, WIDE)).toContain(
      "before      roll back: errors regressed; from 2026-11-19T16:00:00Z until",
    );
    const same = { ...EXPERIMENT, decided: ANALYSIS };
    expect(describeExperiment(same, WIDE)).not.toContain("before ");
  });

  it.each([
    [{ kind: "ready" } as const, "ramp        ready\nwhy         nothing is missing: millrace"],
    [
      { kind: "pending", why: "no shadow" } as const,
      "ramp        pending\nwhy         no shadow\n",
    ],
    [
      { kind: "completed", winner: "treatment", why: "it is better" } as const,
      "ramp        completed, treatment gets all traffic\nwhy         it is better\n",
    ],
    [
      { kind: "rolled_back", why: "errors" } as const,
      "ramp        rolled back, the control arm gets all traffic\nwhy         errors\n",
    ],
    [
      { kind: "paused", step: 0, why: "by ann", ranMs: 5, isApproved: false } as const,
      "ramp        paused, step 1 of 3 (2 %)\nwhy         by ann\nsteps       [2 %]  20 % then",
    ],
  ])("shows a ramp that is %j", (state, text) => {
    const ramp = { steps: EXPERIMENT.ramp?.steps ?? [], state };
    expect(describeExperiment({ ...EXPERIMENT, ramp }, WIDE)).toContain(text);
  });

  it("does not say twice why it was shipped", () => {
    const decision = { kind: "ship", arm: "treatment", why: "it is better" } as const;
    const state = { kind: "completed", winner: "treatment", why: decision.why } as const;
    const status = {
      ...EXPERIMENT,
      analysis: { ...ANALYSIS, decision },
      ramp: { steps: EXPERIMENT.ramp?.steps ?? [], state },
    };
    expect(describeExperiment(status, WIDE).split("it is better")).toHaveLength(2);
  });

  it("keeps a terminal from obeying what somebody gave as a reason", () => {
    const event = { atMs: 0, by: "ann\u001b[2J", what: "paused", why: "\u0007" };
    const text = describeExperiment({ ...EXPERIMENT, events: [event] }, WIDE);
    expect(text).toContain("  1970-01-01T00:00:00Z  paused, by ann·[2J: ·\n");
  });
});

describe("describeExperiments()", () => {
  it("lists them with what is decided", () => {
    const decided = {
      ...EXPERIMENT,
      name: "old",
      ramp: undefined,
      winner: "b",
      analysis: undefined,
    };
    expect(describeExperiments([EXPERIMENT, decided], WIDE)).toBe(`\
experiment  service  state                        coverage  decision
----------  -------  ---------------------------  --------  ------------
rf-2026-11  iris     running, step 2 of 3 (20 %)  20 %      keep running
old         iris     b gets all traffic           20 %      none yet
`);
    expect(describeExperiments([], WIDE)).toContain("no experiment");
  });
});
