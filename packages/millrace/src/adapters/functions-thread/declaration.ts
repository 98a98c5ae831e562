import type { Signature } from "../../core/graph/step.ts";

/** What the file of a function says about it. A combine function has no inputs. */
export type Declaration = Signature;
