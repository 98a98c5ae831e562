import { releaseJson } from "../control/releases/release-json.ts";
import type { JsonValue } from "../core/json.ts";
import type { CommandIo, CommandLine, ExitCode } from "./command.ts";
import { loadFor } from "./config-session.ts";
import { withQueryEngine } from "./query-engine-of.ts";
import { experimentAtRest, namesIn, shadowAtRest } from "./release-at-rest.ts";
import { onlyOf, type Named, type ReleaseKind } from "./release-kind.ts";

export interface AtRest<Status extends Named> {
  readonly name: string | undefined;
  readonly kind: ReleaseKind<Status>;
  readonly show: (answer: JsonValue) => void;
}

/** What the log says of it where nothing runs. */
export async function showAtRest<Status extends Named>(
  { name, kind, show }: AtRest<Status>,
  line: CommandLine,
  io: CommandIo,
): Promise<ExitCode> {
  const loaded = await loadFor({ ...line, positionals: [] }, io);
  if (loaded === undefined) return 2;
  const names = namesIn(loaded.config, kind.plural);
  const named = name ?? onlyOf(names, kind);
  if (!names.includes(named)) {
    const there = names.length === 0 ? "there is none" : `there is ${names.join(", ")}`;
    io.stderr.write(`Cannot find ${kind.noun} ${JSON.stringify(named)}: ${there}\n`);
    return 2;
  }
  const atRest = kind.noun === "experiment" ? experimentAtRest : shadowAtRest;
  return withQueryEngine({ ...line, positionals: [] }, io, async (engine) => {
    const status = await atRest(loaded.config, named, engine);
    if (status !== undefined) show(releaseJson(status));
    return 0;
  });
}
