import { expect, test } from "vitest";
import type { RateProfilePlan } from "../core/load/rate-profile.ts";
import { LoadInputError } from "./load-input-error.ts";
import { readRateProfile } from "./read-rate-profile.ts";

test.each<{ text: string; plan: RateProfilePlan }>([
  { text: "ramp:1000", plan: { kind: "ramp", from: 400, to: 1000 } },
  { text: "ramp:60000/1m", plan: { kind: "ramp", from: 400, to: 1000 } },
  { text: "ramp:0", plan: { kind: "ramp", from: 400, to: 0 } },
  {
    text: "step:200@10s,0@20s, 400@30s",
    plan: {
      kind: "step",
      steps: [
        { fromMs: 0, rate: 400 },
        { fromMs: 10_000, rate: 200 },
        { fromMs: 20_000, rate: 0 },
        { fromMs: 30_000, rate: 400 },
      ],
    },
  },
  { text: "sine:300/1m", plan: { kind: "sine", mean: 400, amplitude: 300, periodMs: 60_000 } },
  {
    text: "spike:2000@20s+5s",
    plan: { kind: "spike", base: 400, peak: 2000, atMs: 20_000, forMs: 5000 },
  },
  {
    text: "spike:0@0s+5s",
    plan: { kind: "spike", base: 400, peak: 0, atMs: 0, forMs: 5000 },
  },
])("readRateProfile($text) is about --rate", ({ text, plan }) => {
  expect(readRateProfile(text, 400, 60_000)).toEqual(plan);
});

const FORMS = "--profile: expected ramp:1000, step:200@10s,400@20s, sine:300/1m";

test.each([
  { text: "", message: FORMS },
  { text: "ramp", message: FORMS },
  { text: "wave:5", message: FORMS },
  { text: "ramp:", message: FORMS },
  { text: "ramp:fast", message: `found "ramp:fast"` },
  { text: "ramp:2000000", message: "--profile: at most 1000000 a second, found 2000000" },
  { text: "step:200", message: FORMS },
  { text: "step:200@10s,", message: FORMS },
  { text: "step:200@0s", message: "--profile: steps begin one after the other, after 0" },
  { text: "step:200@20s,300@10s", message: 'found "300@10s" behind 20000 ms' },
  {
    text: "step:200@1m",
    message: '--profile: "200@1m" begins when the test is over: it lasts 60000 ms',
  },
  { text: "sine:300", message: FORMS },
  { text: "sine:300/0s", message: FORMS },
  {
    text: "sine:401/1m",
    message: "--profile: a sine swings by at most --rate: found 401/s about 400/s",
  },
  { text: "spike:2000@20s", message: FORMS },
  { text: "spike:2000@20s+0s", message: FORMS },
  { text: "spike:2000@2m+5s", message: "begins when the test is over" },
])("readRateProfile($text) is refused: $message", ({ text, message }) => {
  const read = (): unknown => readRateProfile(text, 400, 60_000);
  expect(read).toThrow(LoadInputError);
  expect(read).toThrow(message);
});

test("readRateProfile() takes any time where the test has no end, but no ramp", () => {
  expect(readRateProfile("step:5@100h", 1, Infinity)).toMatchObject({ kind: "step" });
  expect(() => readRateProfile("ramp:5", 1, Infinity)).toThrow(
    "--profile: a ramp needs an end: give it a --duration",
  );
});

test("readRateProfile() bounds how many steps there are", () => {
  const steps = Array.from({ length: 1000 }, (_, index) => `1@${index + 1}s`).join(",");
  expect(() => readRateProfile(`step:${steps}`, 1, Infinity)).toThrow(
    "--profile: more than 999 steps",
  );
});
