/** Most entries of a folder that is a model as a whole. */
export const MODEL_FOLDER_ENTRIES_MAX = 10_000;

/**
 * Does a path in the folder of a model belong to the model? Hidden files and what Python compiles do not: programs write
 * them while they run.
 */
export function isPartOfModel(relativePath: string): boolean {
  return !/(^|\/)(\.|__pycache__(\/|$))/.test(relativePath);
}
