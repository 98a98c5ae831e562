import type { JsonValue } from "../../core/json.ts";
import type { Datatype } from "../../core/tensor/datatype.ts";
import type { Tensor, TensorSpec } from "../../core/tensor/tensor.ts";
import type { HttpReply } from "./http-call.ts";

/** How one kind of server is asked, and how its replies are read. */
export interface Protocol {
  /** What predictions are posted to. */
  readonly path: string;
  /** Are numbers sent as they are in memory? Else as JSON, which has no FP16, no BF16 and no NaN. */
  readonly isBinary: boolean;
  /**
   * Asks the server about the model, and remembers what it needs for `write`. Undefined where the protocol has no way
   * to ask.
   * @returns undefined when the server does not say it.
   * @throws INVALID_JSON when it says something that is no JSON, and what `ask` throws.
   */
  readonly describe: ((ask: AskFor) => Promise<Said | undefined>) | undefined;
  /** @throws INVALID_TENSOR for numbers the form cannot carry. */
  write(inputs: readonly Tensor[], specs: Specs): Written;
  /**
   * @param rows of the request; undefined when no input counts them.
   * @returns one tensor per output, in that order; their shapes are checked by the caller.
   * @throws INVALID_JSON, INVALID_BODY, INVALID_TENSOR.
   */
  read(reply: HttpReply, specs: Specs, rows: number | undefined): Tensor[];
}

/** Body of a GET; undefined when the server answers 4xx or 501: it does not know what is asked for. */
export type AskFor = (path: string) => Promise<JsonValue | undefined>;

/** What a model takes and gives, agreed on by file and server. */
export interface Specs {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** What a server says about a model. */
export interface Said {
  readonly inputs: readonly SaidSpec[];
  readonly outputs: readonly SaidSpec[];
}

/** Undefined is what it does not say, or says in words that are not known here. */
export interface SaidSpec {
  readonly name: string;
  readonly datatype: Datatype | undefined;
  readonly shape: readonly number[] | undefined;
}

/** A request, written. */
export interface Written {
  readonly body: string | Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}
