import { requestBytes } from "./http-post.ts";
import type { LoadPlan, LoadResult } from "./generator/load-plan.ts";
import type { HttpRequest } from "./peers/peer.ts";
import { GENERATOR_CORE, onCore, runProcess } from "./run-process.ts";
import type { ScratchFolder } from "./scratch-folder.ts";

/** An open load; `core` is where it comes from, by default the generator's own. */
export type GeneratorPlan = Omit<LoadPlan, "port" | "requestFile"> & { readonly core?: number };

/** Puts an open load on a server. */
export async function runGenerator(
  port: number,
  request: HttpRequest,
  { core = GENERATOR_CORE, ...plan }: GeneratorPlan,
  scratch: ScratchFolder,
): Promise<LoadResult> {
  const requestFile = scratch.write(requestBytes(port, request));
  const words = [process.execPath, `${import.meta.dirname}/generator/generator.ts`];
  const command = onCore(core, [
    ...words,
    JSON.stringify({ ...plan, port, requestFile } satisfies LoadPlan),
  ]);
  const { warmupMs, durationMs, graceMs = 0 } = plan;
  const output = await runProcess(command, warmupMs + durationMs + graceMs + 60_000);
  return JSON.parse(output) as LoadResult; // printed by generator.ts
}
