import type { ArrivalsPlan } from "../core/load/arrivals.ts";
import { parseGoDuration } from "../core/load/parse-go-duration.ts";
import { parseRate, RATE_MAX } from "../core/load/parse-rate.ts";
import { LoadInputError } from "./load-input-error.ts";
import { readRateProfile } from "./read-rate-profile.ts";

/** What was typed; undefined where nothing was. */
export interface ArrivalsFlags {
  /** Default 50, as vegeta's. */
  readonly rate: string | undefined;
  readonly profile: string | undefined;
  /** Default `constant`; `closed` where there are `clients`. */
  readonly arrivals: string | undefined;
  /** Of closed arrivals; default 1. */
  readonly clients: string | undefined;
  /** Of closed arrivals; default 0. */
  readonly think: string | undefined;
  /** With it a rate of 0 means: as fast as so many clients get answers. */
  readonly maxWorkers: number | undefined;
  /** Of the measured time; may be Infinity. */
  readonly durationMs: number;
}

const RATE_DEFAULT = 50;

const CLIENTS_MAX = 100_000;

/** @throws LoadInputError that begins with the flag. */
export function readArrivals(flags: ArrivalsFlags): ArrivalsPlan {
  const { arrivals = flags.clients === undefined ? "constant" : "closed" } = flags;
  switch (arrivals) {
    case "closed":
      return readClosed(flags);
    case "constant":
    case "poisson":
      return readOpen(flags, arrivals);
    default:
      throw new LoadInputError(
        `--arrivals: expected constant, poisson, closed or replay, found ${JSON.stringify(arrivals)}`,
      );
  }
}

function readOpen(flags: ArrivalsFlags, spacing: "constant" | "poisson"): ArrivalsPlan {
  refuse("--clients", flags.clients, "belongs to --arrivals closed");
  refuse("--think", flags.think, "belongs to --arrivals closed");
  const rate = readRate(flags.rate);
  if (flags.profile !== undefined) {
    const profile = readRateProfile(flags.profile, rate, flags.durationMs);
    return { kind: "open", profile, spacing };
  }
  if (rate > 0) return { kind: "open", profile: { kind: "constant", rate }, spacing };
  if (flags.maxWorkers === undefined) {
    throw new LoadInputError("--rate: 0 is as fast as possible, and needs --max-workers");
  }
  return { kind: "closed", clients: flags.maxWorkers, thinkMs: 0 };
}

/** `infinity` is vegeta's other word for 0. */
function readRate(text: string | undefined): number {
  if (text === undefined) return RATE_DEFAULT;
  const rate = text === "infinity" ? 0 : parseRate(text);
  if (rate !== undefined && rate <= RATE_MAX) return rate;
  throw new LoadInputError(
    `--rate: expected a number up to ${RATE_MAX} a second, like 500, 500/s or 30000/1m, found ${JSON.stringify(text)}`,
  );
}

function readClosed(flags: ArrivalsFlags): ArrivalsPlan {
  refuse("--rate", flags.rate, "is not for --arrivals closed: its clients wait for answers");
  refuse("--profile", flags.profile, "is not for --arrivals closed: its clients wait for answers");
  const clients = /^\d+$/.test(flags.clients ?? "1") ? Number(flags.clients ?? 1) : 0;
  if (clients < 1 || clients > CLIENTS_MAX) {
    throw new LoadInputError(
      `--clients: expected a whole number from 1 to ${CLIENTS_MAX}, found ${JSON.stringify(flags.clients)}`,
    );
  }
  const thinkMs = parseGoDuration(flags.think ?? "0");
  if (thinkMs === undefined) {
    throw new LoadInputError(
      `--think: expected a duration like 100ms, found ${JSON.stringify(flags.think)}`,
    );
  }
  return { kind: "closed", clients, thinkMs };
}

function refuse(flag: string, value: string | undefined, why: string): void {
  if (value !== undefined) throw new LoadInputError(`${flag}: ${why}`);
}
