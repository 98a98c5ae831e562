import type { BodyFilling } from "./body-template.ts";
import type { LoadBody, LoadTarget } from "./load-target.ts";

/** vegeta's two formats. */
export type TargetsFormat = "http" | "json";

export interface TargetsOptions {
  readonly format: TargetsFormat;
  /** Begins messages. */
  readonly file: string;
  /** Where the files of bodies are looked for, one folder after the other. */
  readonly folders: readonly string[];
  /** Of every target, before its own. */
  readonly headers: LoadTarget["headers"];
  /** Of targets that have none. */
  readonly body: LoadBody;
  readonly filling: BodyFilling;
}
