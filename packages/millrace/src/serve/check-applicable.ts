import { isDeepStrictEqual } from "node:util";
import type { Config } from "../config/config.ts";
import { StartError } from "./listen.ts";

/** Keys of `log` that its writer is opened with, by their names in the file. */
const LOG_KEYS_AT_START = {
  sink: "sink",
  durability: "durability",
  rollMs: "roll",
  walBytesMax: "walMax",
  diskFreeMin: "diskFree",
  key: "key",
} as const;

/** @throws StartError naming every changed key that needs a restart. */
export function checkApplicable(current: Config, next: Config): void {
  const keys = Object.keys(current.server) as (keyof Config["server"])[];
  const changed = keys
    .filter((key) => !isDeepStrictEqual(current.server[key], next.server[key]))
    .map((key) => `server.${key}`);
  if (current.stateDir !== next.stateDir) changed.push("state.dir");
  if (!isDeepStrictEqual(current.traces, next.traces)) changed.push("traces");
  for (const key of Object.keys(LOG_KEYS_AT_START) as (keyof typeof LOG_KEYS_AT_START)[]) {
    const isSame = isDeepStrictEqual(current.log[key], next.log[key]);
    if (!isSame) changed.push(`log.${LOG_KEYS_AT_START[key]}`);
  }
  if (changed.length === 0) return;
  throw new StartError(
    `Cannot apply the file: ${changed.join(", ")} changed, which needs a restart; nothing was applied`,
  );
}
