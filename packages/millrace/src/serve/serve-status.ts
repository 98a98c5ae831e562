import type { GraphStatus } from "../graphs/service-graphs.ts";
import type { ModelStatus } from "../models/served-model.ts";

/** What a serve process can tell of its parts. Plain data: it goes from process to process. */
export interface ServeStatus {
  readonly models: readonly ModelStatus[];
  /** Of the services that run more than a model. */
  readonly graphs: readonly GraphStatus[];
}
