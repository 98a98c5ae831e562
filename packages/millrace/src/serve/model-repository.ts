/** Loads and unloads models in every serve process, not only in the one that was asked. */
export interface ModelRepository {
  /** @throws MODEL_NOT_FOUND, MODEL_LOAD_FAILED */
  load(modelName: string): Promise<void>;
  /** @throws MODEL_NOT_FOUND */
  unload(modelName: string): Promise<void>;
}
