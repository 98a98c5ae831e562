import type { Models } from "../models/models.ts";

export type CommonVersion =
  | { readonly kind: "version"; readonly version: number }
  | { readonly kind: "waiting"; readonly models: readonly string[] }
  | { readonly kind: "none"; readonly message: string };

/** The highest version number that all of some models have loaded: they come from one training. */
export function commonVersion(names: readonly string[], models: Models): CommonVersion {
  const loaded = names.map((name) => {
    const versions = models.find(name)?.versions.map(({ version }) => version) ?? [];
    return { name, versions };
  });
  const missing = loaded.filter(({ versions }) => versions.length === 0).map(({ name }) => name);
  if (missing.length > 0) return { kind: "waiting", models: missing };
  const [first, ...others] = loaded;
  const shared = (first?.versions ?? []).filter((version) =>
    others.every(({ versions }) => versions.includes(version)),
  );
  if (shared.length > 0) return { kind: "version", version: Math.max(...shared) };
  const texts = loaded.map(({ name, versions }) => `${name} has ${versions.join(", ")}`);
  return {
    kind: "none",
    message: `versions: together finds no version number that all models have: ${texts.join("; ")}${hintOf(names, models)}`,
  };
}

/** A folder of which only the latest version is loaded may hold the one that is missing. */
function hintOf(names: readonly string[], models: Models): string {
  const isLatestOnly = names.some((name) => models.find(name)?.config.serve.kind === "latest");
  return isLatestOnly ? "; serve: all loads the earlier ones too" : "";
}
