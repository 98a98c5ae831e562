import { expect, test } from "vitest";
import type { ArrivalsPlan } from "../core/load/arrivals.ts";
import { LoadInputError } from "./load-input-error.ts";
import { readArrivals, type ArrivalsFlags } from "./read-arrivals.ts";

const NONE: ArrivalsFlags = {
  rate: undefined,
  profile: undefined,
  arrivals: undefined,
  clients: undefined,
  think: undefined,
  maxWorkers: undefined,
  durationMs: 60_000,
};

type Case = { readonly flags: Partial<ArrivalsFlags>; readonly plan: ArrivalsPlan };

test.each<Case>([
  { flags: {}, plan: constant(50) },
  { flags: { rate: "500" }, plan: constant(500) },
  { flags: { rate: "30000/1m", arrivals: "constant" }, plan: constant(500) },
  { flags: { rate: "500", durationMs: Infinity }, plan: constant(500) },
  {
    flags: { rate: "500/s", arrivals: "poisson" },
    plan: { kind: "open", profile: { kind: "constant", rate: 500 }, spacing: "poisson" },
  },
  {
    flags: { rate: "0", maxWorkers: 20 },
    plan: { kind: "closed", clients: 20, thinkMs: 0 },
  },
  {
    flags: { rate: "infinity", maxWorkers: 20 },
    plan: { kind: "closed", clients: 20, thinkMs: 0 },
  },
  { flags: { arrivals: "closed" }, plan: { kind: "closed", clients: 1, thinkMs: 0 } },
  {
    flags: { clients: "16", think: "100ms" },
    plan: { kind: "closed", clients: 16, thinkMs: 100 },
  },
  {
    flags: { profile: "ramp:1000" },
    plan: { kind: "open", profile: { kind: "ramp", from: 50, to: 1000 }, spacing: "constant" },
  },
  {
    flags: { rate: "0", profile: "ramp:1000", arrivals: "poisson" },
    plan: { kind: "open", profile: { kind: "ramp", from: 0, to: 1000 }, spacing: "poisson" },
  },
])("readArrivals($flags) plans them", ({ flags, plan }) => {
  expect(readArrivals({ ...NONE, ...flags })).toEqual(plan);
});

test.each<{ flags: Partial<ArrivalsFlags>; message: string }>([
  {
    flags: { arrivals: "random" },
    message: '--arrivals: expected constant, poisson, closed or replay, found "random"',
  },
  {
    flags: { rate: "fast" },
    message:
      '--rate: expected a number up to 1000000 a second, like 500, 500/s or 30000/1m, found "fast"',
  },
  { flags: { rate: "-5" }, message: "--rate: expected a number" },
  { flags: { rate: "2000/ms" }, message: "--rate: expected a number up to 1000000 a second" },
  { flags: { rate: "0" }, message: "--rate: 0 is as fast as possible, and needs --max-workers" },
  {
    flags: { arrivals: "closed", rate: "5" },
    message: "--rate: is not for --arrivals closed: its clients wait for answers",
  },
  { flags: { arrivals: "closed", profile: "ramp:5" }, message: "--profile: is not for" },
  {
    flags: { arrivals: "constant", clients: "5" },
    message: "--clients: belongs to --arrivals closed",
  },
  { flags: { think: "5s" }, message: "--think: belongs to --arrivals closed" },
  {
    flags: { clients: "0" },
    message: '--clients: expected a whole number from 1 to 100000, found "0"',
  },
  { flags: { clients: "1.5" }, message: "--clients: expected a whole number" },
  { flags: { clients: "100001" }, message: "--clients: expected a whole number" },
  {
    flags: { clients: "5", think: "soon" },
    message: '--think: expected a duration like 100ms, found "soon"',
  },
])("readArrivals($flags) is refused: $message", ({ flags, message }) => {
  const read = (): unknown => readArrivals({ ...NONE, ...flags });
  expect(read).toThrow(LoadInputError);
  expect(read).toThrow(message);
});

function constant(rate: number): ArrivalsPlan {
  return { kind: "open", profile: { kind: "constant", rate }, spacing: "constant" };
}
