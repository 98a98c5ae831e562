import { MillraceError } from "../../core/errors.ts";
import { readInferReply } from "../../core/tensor/read-infer-reply.ts";
import { refuseNotFinite } from "../../core/tensor/refuse-not-finite.ts";
import type { Tensor, TensorSpec } from "../../core/tensor/tensor.ts";
import { writeInferRequest } from "../../core/tensor/write-infer-request.ts";
import type { LoadedModel, ModelDescription, RunOptions, RunOutputs } from "../../ports/runtime.ts";
import { ProgramReplyError, type ProgramClient, type ProgramReply } from "./program-client.ts";
import { describeEnd, type ProgramEnd, type ProgramProcess } from "./program-process.ts";

export interface LoadedProcessModelOptions {
  /** Where the program is asked: `/v2/models/iris/infer`. */
  readonly inferPath: string;
  /** Does it take and give tensors in binary form? */
  readonly isBinary: boolean;
  readonly description: ModelDescription;
  readonly client: ProgramClient;
  readonly program: ProgramProcess;
}

/** Runs posted and not answered, per program; one more is refused with OVERLOADED. */
export const POSTED_MAX = 1024;

/** Of what a program says about a failed run, so much is kept for the log. */
const REASON_LENGTH_MAX = 2_000;

/** `open` takes runs; `closing` ends the program and what it runs; `lost` is a program that ended by itself, with why. */
type State =
  | { readonly kind: "open" }
  | { readonly kind: "closing" }
  | { readonly kind: "lost"; readonly reason: MillraceError };

/**
 * A model that a program of its own runs. One run at a time is sent; the others wait here. A run has no time limit of its
 * own: whoever gives one up calls `close`, which ends the program and with it the run.
 */
export class LoadedProcessModel implements LoadedModel {
  readonly description: ModelDescription;
  readonly placement = "worker";
  readonly #options: LoadedProcessModelOptions;
  readonly #outputs: ReadonlyMap<string, TensorSpec>;
  readonly #lost = Promise.withResolvers<MillraceError>();
  #state: State = { kind: "open" };
  #postedCount = 0;
  /** The end of the last run that was posted. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: LoadedProcessModelOptions) {
    this.#options = options;
    this.description = options.description;
    this.#outputs = new Map(options.description.outputs.map((output) => [output.name, output]));
    void options.program.ended.then((end) => this.#lose(endedReason(end)));
  }

  async run(
    inputs: readonly Tensor[],
    outputNames: readonly string[],
    options?: RunOptions,
  ): Promise<RunOutputs> {
    options?.signal?.throwIfAborted();
    this.#refuseUnlessOpen();
    if (this.#postedCount >= POSTED_MAX) throw tooManyPosted(this.#postedCount);
    if (outputNames.length === 0) return { outputs: [], computeMs: 0 };
    this.#postedCount++;
    const run = this.#last.then(() => {
      options?.signal?.throwIfAborted();
      return this.#run(inputs, outputNames);
    });
    this.#last = run.catch(() => undefined).finally(() => this.#postedCount--);
    return run;
  }

  onLost(listener: (reason: MillraceError) => void): void {
    void this.#lost.promise.then(listener);
  }

  async close(): Promise<void> {
    const { client, program } = this.#options;
    if (this.#state.kind === "open") this.#state = { kind: "closing" };
    await program.stop();
    client.close();
  }

  #refuseUnlessOpen(): void {
    if (this.#state.kind === "lost") throw this.#state.reason;
    if (this.#state.kind === "closing") {
      throw new MillraceError("MODEL_NOT_READY", "Cannot run the model: it is closed");
    }
  }

  async #run(inputs: readonly Tensor[], outputNames: readonly string[]): Promise<RunOutputs> {
    if (this.#state.kind === "lost") throw this.#state.reason;
    // Its port may be another program's by now.
    if (this.#state.kind === "closing") throw endedWhileWaiting();
    const { client, inferPath, isBinary } = this.#options;
    if (!isBinary) refuseNotFinite(inputs);
    const body = writeInferRequest(inputs, [...new Set(outputNames)], isBinary);
    const startMs = performance.now();
    const reply = await this.#connected(client.post(inferPath, body));
    const computeMs = performance.now() - startMs;
    return { outputs: this.#readOutputs(reply, outputNames), computeMs };
  }

  /** A connection that breaks is the end of the program: what it would do next is not known. */
  async #connected(answer: Promise<ProgramReply>): Promise<ProgramReply> {
    const { program } = this.#options;
    try {
      return await answer;
    } catch (cause) {
      if (cause instanceof ProgramReplyError) throw wrongAnswer(cause);
      program.kill();
      const end = await program.ended;
      const reason = this.#state.kind === "lost" ? this.#state.reason : endedReason(end, cause);
      this.#lose(reason);
      throw reason;
    }
  }

  #readOutputs({ status, json, binary }: ProgramReply, outputNames: readonly string[]): Tensor[] {
    if (status !== 200) throw failedRun(status, json);
    try {
      const specs = outputNames.map((name) => this.#outputs.get(name) as TensorSpec);
      return readInferReply(json, specs, binary);
    } catch (cause) {
      throw wrongAnswer(cause);
    }
  }

  #lose(reason: MillraceError): void {
    this.#options.client.close();
    if (this.#state.kind !== "open") return;
    this.#state = { kind: "lost", reason };
    this.#lost.resolve(reason);
  }
}

function tooManyPosted(count: number): MillraceError {
  const state = `${count} runs wait for its program, the limit is ${POSTED_MAX}`;
  return new MillraceError("OVERLOADED", `Cannot run the model: ${state}`, { reason: "queue" });
}

function endedWhileWaiting(): MillraceError {
  const state = "its program was ended before this run was sent";
  return new MillraceError("EXECUTOR_LOST", `Cannot run the model: ${state}`, { reason: "crash" });
}

/** @param cause what was noticed first, when that was not the end itself. */
function endedReason(end: ProgramEnd, cause?: unknown): MillraceError {
  const how = end.signal === null ? `exited with code ${String(end.exitCode)}` : "was ended";
  // Its last line is for the log, not for callers.
  return new MillraceError("EXECUTOR_LOST", `Cannot run the model: its program ${how}`, {
    reason: "crash",
    cause: cause ?? new Error(`The program ${describeEnd(end)}`),
  });
}

/** What the program says is for the log, not for callers. */
function failedRun(status: number, body: Uint8Array): MillraceError {
  const said = new TextDecoder().decode(body.subarray(0, REASON_LENGTH_MAX));
  const cause = new Error(`The program answered ${status}: ${said}`);
  const message = "Cannot run the model: its program failed on these inputs";
  return new MillraceError("MODEL_FAILED", message, { cause });
}

function wrongAnswer(cause: unknown): MillraceError {
  const message = "Cannot run the model: its program gave an answer that does not fit the model";
  return new MillraceError("MODEL_FAILED", message, { cause });
}
