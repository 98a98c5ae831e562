import type { JsonValue } from "../../core/json.ts";
import type { OverrideState, StoredOverride } from "../../ports/override-store.ts";

/** Whose overrides those of ramps are. */
export const RAMP = "ramp";

/** A live key, and what a ramp wants of it. */
export interface WantedKey {
  readonly path: string;
  /** `file`: the ramp wants nothing of it. */
  readonly wanted:
    { readonly kind: "value"; readonly value: JsonValue | undefined } | { readonly kind: "file" };
  readonly inForce: JsonValue | undefined;
  /** Without overrides. */
  readonly file: JsonValue | undefined;
}

/** How things were when all was as the ramp wanted it. */
export interface MadeEffect {
  /** Of the overrides. */
  readonly version: number;
  /** Paths of which the ramp had overrides. */
  readonly paths: readonly string[];
}

export type EffectChange =
  | { readonly kind: "none" }
  | {
      readonly kind: "change";
      readonly set: ReadonlyMap<string, JsonValue>;
      readonly unset: readonly string[];
    }
  /** Somebody has changed the key since; undefined is who took the override of the ramp away. */
  | { readonly kind: "taken"; readonly key: WantedKey; readonly by: StoredOverride | undefined };

/**
 * What is missing for the live keys to be as the ramp wants them.
 * @param made undefined when the ramp begins, or was told to go on: then it takes the keys, whoever had them.
 */
export function effectChange(
  keys: readonly WantedKey[],
  { overrides }: OverrideState,
  made: MadeEffect | undefined,
): EffectChange {
  const set = new Map<string, JsonValue>();
  const unset: string[] = [];
  for (const key of keys) {
    const override = overrides.find(({ path }) => path === key.path);
    if (key.wanted.kind === "file") {
      if (override?.by === RAMP) unset.push(key.path);
      continue;
    }
    const { value } = key.wanted;
    if (value === key.inForce) continue;
    if (isTaken(key, override, made)) return { kind: "taken", key, by: override };
    if (value !== undefined && value !== key.file) set.set(key.path, value);
    else if (override !== undefined) unset.push(key.path);
    else if (value !== undefined) set.set(key.path, value);
  }
  return set.size + unset.length === 0 ? { kind: "none" } : { kind: "change", set, unset };
}

function isTaken(
  { path }: WantedKey,
  override: StoredOverride | undefined,
  made: MadeEffect | undefined,
): boolean {
  if (made === undefined || override?.by === RAMP) return false;
  if (override === undefined) return made.paths.includes(path);
  return override.version > made.version;
}
