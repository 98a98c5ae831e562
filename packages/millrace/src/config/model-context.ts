import type { ProblemLog } from "./problem-log.ts";
import type { ConfigOutput } from "./schema.ts";

export type WrittenModel = ConfigOutput["models"][string];

/** A model that is being resolved, and where to report. */
export interface ModelContext {
  readonly name: string;
  readonly model: WrittenModel;
  /** Folder that relative paths start from. */
  readonly folder: string;
  readonly log: ProblemLog;
}
