import type { ExplainedOverride } from "../core/predictions/explanation.ts";
import type { OverrideEvent, OverrideState } from "../ports/override-store.ts";

/**
 * The overrides that were in force at a version, by path.
 * @param events what happened, the newest first; what was before the oldest of them is known only as far as it still
 * holds.
 */
export function overridesAt(
  version: number,
  state: OverrideState,
  events: readonly OverrideEvent[],
): readonly ExplainedOverride[] {
  const held = state.overrides.filter((override) => override.version <= version);
  const byPath = new Map(held.map((override) => [override.path, shown(override)]));
  for (const event of events.toReversed()) {
    if (event.version > version) break;
    const { path, value } = event;
    if (value === undefined) byPath.delete(path);
    else byPath.set(path, shown({ ...event, value }));
  }
  return [...byPath.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function shown({ path, value, version, by, reason }: ExplainedOverride): ExplainedOverride {
  return { path, value, version, by, reason };
}
