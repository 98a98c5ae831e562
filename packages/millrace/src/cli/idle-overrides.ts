import type { Config } from "../config/config.ts";
import { readOverrides } from "../control-main.ts";
import type { Logging } from "../main.ts";

/** What was changed while an earlier `up` ran stays kept, but nobody applies it here: not silently. */
export async function warnOfIdleOverrides(
  { stateDir }: Config,
  { loggerFor }: Logging,
  why: string,
): Promise<void> {
  const kept = (await readOverrides(stateDir))?.overrides ?? [];
  if (kept.length === 0) return;
  const paths = kept.map(({ path }) => path);
  loggerFor("millrace").warn({ paths }, `Overrides in state.dir are not in force: ${why}`);
}
