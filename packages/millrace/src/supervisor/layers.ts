import { isDeepStrictEqual } from "node:util";
import type { Config } from "../config/config.ts";
import type { LiveOverride } from "../config/live-overrides.ts";
import type { LoadedConfig } from "../config/print.ts";
import { renderProblem, type ConfigProblem } from "../config/problem.ts";
import type { SetAside } from "../control/control-messages.ts";
import type { OverrideState } from "../ports/override-store.ts";

/** The file, and the overrides over it. */
export interface Layers {
  readonly file: LoadedConfig;
  readonly overrides: OverrideState;
  /** Overrides that do not fit the file. */
  readonly setAside: readonly SetAside[];
  /** The file with all other overrides. */
  readonly laid: LoadedConfig;
  readonly config: Config;
}

export type LayResult =
  | { readonly kind: "ok"; readonly layers: Layers }
  | { readonly kind: "invalid"; readonly problems: readonly ConfigProblem[] };

const NO_OVERRIDES: OverrideState = { version: 0, overrides: [] };

export function fileAlone(file: LoadedConfig): Layers {
  return { file, overrides: NO_OVERRIDES, setAside: [], laid: file, config: file.config };
}

/**
 * Lays every override over the file; those that were set aside stay it while they do not fit.
 * @returns the problems when another one does not fit.
 */
export async function layAll(
  file: LoadedConfig,
  overrides: OverrideState,
  setAside: readonly SetAside[],
): Promise<LayResult> {
  const all = await lay(file, overrides, []);
  if (all.kind === "ok" || setAside.length === 0) return all;
  const known = setAside.filter(({ path, version }) =>
    overrides.overrides.some((found) => found.path === path && found.version === version),
  );
  return await lay(file, overrides, known);
}

/**
 * Lays over the file what fits, the oldest override first, and sets the others aside.
 * @throws when not the overrides are in the way: a file that the configuration names has gone since it was loaded.
 */
export async function layWhatFits(file: LoadedConfig, overrides: OverrideState): Promise<Layers> {
  const all = await lay(file, overrides, []);
  if (all.kind === "ok") return all.layers;
  const bare = await file.layOver([]);
  if (bare.kind === "invalid") {
    const problems = bare.problems.map(renderProblem).join("; ");
    throw new Error(`Cannot lay the overrides over the file: ${problems}`);
  }
  const fitting: LiveOverride[] = [];
  const setAside: SetAside[] = [];
  for (const override of overrides.overrides.toSorted((a, b) => a.version - b.version)) {
    const result = await file.layOver([...fitting, override]);
    if (result.kind === "ok") fitting.push(override);
    else {
      const why = result.problems.map(renderProblem).join("; ");
      setAside.push({ path: override.path, version: override.version, why });
    }
  }
  const some = await lay(file, overrides, setAside);
  return some.kind === "ok" ? some.layers : { ...fileAlone(file), overrides, setAside };
}

async function lay(
  file: LoadedConfig,
  overrides: OverrideState,
  setAside: readonly SetAside[],
): Promise<LayResult> {
  const laidOver = overrides.overrides.filter(
    ({ path }) => !setAside.some((aside) => aside.path === path),
  );
  const laid = laidOver.length === 0 ? file : await file.layOver(laidOver);
  if (laid.kind === "invalid") return laid;
  const config = { ...laid.config, models: modelsOf(file, laid) };
  return { kind: "ok", layers: { file, overrides, setAside, laid, config } };
}

/** Models whose keys nobody changed are as the file was applied: their label and sample files may be newer. */
function modelsOf(file: LoadedConfig, laid: LoadedConfig): Config["models"] {
  return Object.fromEntries(
    Object.entries(laid.config.models).map(([name, model]) => {
      const path = ["models", name];
      const isSame = isDeepStrictEqual(file.tree.get(path), laid.tree.get(path));
      return [name, (isSame ? file.config.models[name] : undefined) ?? model];
    }),
  );
}
