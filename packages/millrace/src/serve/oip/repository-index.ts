import type { Models } from "../../models/models.ts";
import type { DataPlane } from "../data-plane.ts";
import type { ModelStatus } from "../../models/served-model.ts";

/** One entry of the repository index, field by field. */
export interface RepositoryEntry {
  readonly name: string;
  /** Absent for a model of which no version is loaded. */
  readonly version?: string;
  readonly state: ModelStatus["state"];
  /** Why it is not ready, or what is wrong though it is; empty when all is well. */
  readonly reason: string;
}

/** Every version of every model, and every graph; what has failed stays listed with the reason. */
export function repositoryIndex(
  { models, graphs }: Pick<DataPlane, "models" | "graphs">,
  isReadyOnly: boolean,
): RepositoryEntry[] {
  const own = graphs
    .status()
    .filter(({ isReady }) => isReady || !isReadyOnly)
    .map(({ service, isReady, problem }): RepositoryEntry => {
      const state = isReady ? "READY" : "UNAVAILABLE";
      return { name: service, ...(isReady && { version: "1" }), state, reason: problem ?? "" };
    });
  return [...modelEntries(models, isReadyOnly), ...own];
}

function modelEntries(models: Models, isReadyOnly: boolean): RepositoryEntry[] {
  return models
    .status()
    .filter((status) => status.isReady || !isReadyOnly)
    .flatMap(({ name, state, versions, problem, fallbackReason }): RepositoryEntry[] => {
      const entry = { state, reason: problem ?? fallbackReason ?? "" };
      if (versions.length === 0) return [{ name, ...entry }];
      return versions.map((version) => ({ name, version: String(version), ...entry }));
    });
}
