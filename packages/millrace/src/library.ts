import type { MillraceInput } from "./config/define-config.ts";
import { loadConfig } from "./config/load.ts";
import { renderProblem } from "./config/problem.ts";
import type { Priority } from "./core/batch/batch.ts";
import { Cancellation } from "./core/cancellation.ts";
import { MillraceError } from "./core/errors.ts";
import { labelRows } from "./core/tensor/argmax.ts";
import type { JsonValue } from "./core/json.ts";
import { checkTensors } from "./core/tensor/check-tensors.ts";
import { packRows, type Rows } from "./core/tensor/pack-rows.ts";
import type { Tensor } from "./core/tensor/tensor.ts";
import { unpack, unpackRow } from "./core/tensor/unpack.ts";
import { checkFeedback } from "./core/feedback/read-feedback.ts";
import { feedbackBody, isFeedbackList, type LibraryFeedback } from "./library-feedback.ts";
import { createLogging, createLogKeeper, createServeRole } from "./main.ts";
import type { ModelStatus } from "./models/served-model.ts";
import type { Target } from "./serve/data-plane.ts";
import { PRIORITY_DEFAULT, type Prediction } from "./serve/prediction.ts";
import type { ServeRole } from "./serve/serve-role.ts";
import type { LogKeeper } from "./supervisor/log-keeper.ts";

export interface CallOptions {
  /** Longest time for the prediction, in milliseconds; the service's own timeout may be shorter. */
  readonly timeoutMs?: number;
  /** Drops the prediction when aborted. */
  readonly signal?: AbortSignal;
  /** 1 before 2, the default, before 3. */
  readonly priority?: Priority;
  /**
   * Whom the prediction is for, where the service has an experiment with a unit: the same unit always gets the same arm.
   * Stands for whatever the file reads it from; without it the control arm answers, and it is not counted.
   */
  readonly unit?: string;
  /** Arm that is to answer, for tests: such predictions are not counted. */
  readonly variant?: string;
}

export interface LibraryPrediction {
  /**
   * One row in gives that row's output, several rows give several; where several outputs are the prediction, an object
   * of them, with null for a branch that failed.
   */
  readonly prediction: JsonValue;
  /** Label of each row, as `prediction` one or several; undefined where there are no labels. */
  readonly label: string | readonly string[] | undefined;
  /** `iris@1` */
  readonly model: string;
  /** Arm of the service's experiment; undefined where there is none. */
  readonly variant: string | undefined;
  /** UUIDv7 */
  readonly id: string;
  /** Something else than what was asked for answered, or a part is missing; undefined when not. */
  readonly degraded: Prediction["degraded"];
}

interface NamedTarget {
  readonly target: Target;
  readonly predictionId: string;
}

interface AskedOf extends NamedTarget {
  readonly inputs: readonly Tensor[];
  readonly outputNames: readonly string[];
}

/** The configuration is invalid; `problems` has one line each. */
export class InvalidConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Cannot start: the configuration is invalid\n${problems.join("\n")}`);
    this.name = "InvalidConfigError";
    this.problems = problems;
  }
}

/**
 * Serves models inside the calling process, through the same data plane as the server, without sockets.
 *
 * @example
 * const millrace = await createMillrace({ models: { iris: "./iris.onnx" } });
 * const { prediction, model, id } = await millrace.predict("iris", [[5.1, 3.5, 1.4, 0.2]]);
 * await millrace.close();
 */
export class Millrace {
  readonly #role: ServeRole;
  readonly #logKeeper: LogKeeper;

  constructor(role: ServeRole, logKeeper: LogKeeper) {
    this.#role = role;
    this.#logKeeper = logKeeper;
  }

  /** State of each model. */
  get models(): readonly ModelStatus[] {
    return this.#role.status().models;
  }

  /**
   * Predicts with a service.
   * @param rows nested arrays, or input name → nested arrays. NaN is a missing value.
   * @throws MillraceError INVALID_TENSOR, MODEL_NOT_FOUND, DEADLINE_EXCEEDED, …; INVALID_HEADER when there is no arm of
   * the name in `variant`.
   */
  async predict(
    service: string,
    rows: Rows,
    options: CallOptions = {},
  ): Promise<LibraryPrediction> {
    const { target, predictionId } = this.#target(service, options);
    const { predictor } = target;
    const inputs = packRows(rows, predictor.inputs);
    const isOneRow = inputs[0]?.shape[0] === 1;
    const asked = { target, predictionId, inputs, outputNames: predictor.predictionNames };
    const result = await this.#infer(asked, options);
    const found = labelsOf(result);
    return {
      prediction: predictionValue(result, isOneRow),
      label: isOneRow ? found?.[0] : found,
      model: result.model,
      variant: target.arm?.assignment.arm,
      id: result.id,
      degraded: result.degraded,
    };
  }

  /**
   * Runs a model on tensors.
   * @param inputs one per input of the model; not copied, so leave their data alone until the end.
   * @param outputNames default: all outputs.
   */
  async infer(
    service: string,
    inputs: readonly Tensor[],
    options: CallOptions & { readonly outputNames?: readonly string[] } = {},
  ): Promise<{ readonly outputs: readonly Tensor[]; readonly model: string; readonly id: string }> {
    const { target, predictionId } = this.#target(service, options);
    const outputNames = options.outputNames ?? target.predictor.outputNames;
    const unknown = outputNames.find((name) => target.predictor.findOutput(name)?.name !== name);
    if (unknown !== undefined) {
      throw new MillraceError("INVALID_BODY", `Cannot infer: the model has no output "${unknown}"`);
    }
    const checked = checkTensors(inputs, target.predictor.inputs);
    const asked = { target, predictionId, inputs: checked, outputNames };
    const result = await this.#infer(asked, options);
    return { outputs: result.outputs, model: result.model, id: result.id };
  }

  /**
   * Says what became known of predictions; sent again it counts once. Needs a prediction log: `state.dir`.
   * @param idempotencyKey names it; default: its content does.
   * @returns ids in order, when it is written.
   * @throws MillraceError INVALID_BODY, MODEL_NOT_FOUND, LOG_UNAVAILABLE.
   */
  async feedback(
    service: string,
    feedback: LibraryFeedback | readonly LibraryFeedback[],
    { idempotencyKey }: { readonly idempotencyKey?: string } = {},
  ): Promise<readonly string[]> {
    const { plane, feedback: intake } = this.#role;
    const { name } = plane.services.get(service);
    const body = isFeedbackList(feedback) ? feedback.map(feedbackBody) : feedbackBody(feedback);
    const checked = checkFeedback(body, intake.nowMs, ["feedback"]);
    return intake.take(name, checked, idempotencyKey);
  }

  #target(service: string, { unit, variant }: CallOptions): NamedTarget {
    const { plane } = this.#role;
    const predictionId = plane.newPredictionId();
    const named = { unit, variant, predictionId };
    return { predictionId, target: plane.target(plane.services.get(service), { named }) };
  }

  async #infer(
    { target, predictionId, inputs, outputNames }: AskedOf,
    { timeoutMs, signal, priority = PRIORITY_DEFAULT }: CallOptions,
  ): Promise<Prediction> {
    const { plane } = this.#role;
    const receivedMs = plane.clock.nowMs();
    const cancellation = signal === undefined ? undefined : new Cancellation();
    const cancel = (): void => cancellation?.cancel(signal?.reason);
    if (signal?.aborted === true) cancel();
    signal?.addEventListener("abort", cancel);
    try {
      const request = {
        predictionId,
        endpoint: "library",
        requestId: undefined,
        attributes: undefined,
      };
      const call = { ...request, receivedMs, priority, timeoutMs, cancellation };
      return await plane.infer(target, inputs, outputNames, call);
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  /** Waits for predictions in flight and frees every model. */
  async close(): Promise<void> {
    await this.#role.stop(0);
    await this.#logKeeper.stop();
  }
}

function predictionValue({ predictor, outputs }: Prediction, isOneRow: boolean): JsonValue {
  const valueOf = (output: Tensor): JsonValue =>
    isOneRow && output.shape[0] === 1 ? unpackRow(output, 0) : unpack(output);
  if (predictor.predictionOutput !== undefined) return valueOf(outputs[0] as Tensor);
  const members = predictor.predictionNames.map((name) => {
    const output = outputs.find((tensor) => tensor.name === name);
    return [name, output === undefined ? null : valueOf(output)] as const;
  });
  return Object.fromEntries(members);
}

/** Undefined where there are none to give. */
function labelsOf({ predictor, outputs }: Prediction): readonly string[] | undefined {
  const [output] = outputs;
  if (predictor.predictionOutput === undefined || output === undefined) {
    const label = outputs.find(({ name }) => name === "label");
    return label === undefined ? undefined : labelRows(label, undefined);
  }
  const isText = output.datatype === "BYTES";
  return isText || predictor.labels !== undefined ? labelRows(output, predictor.labels) : undefined;
}

/**
 * @param input the same schema as millrace.yaml; paths are relative to the working folder.
 * @throws InvalidConfigError with every problem; MillraceError MODEL_LOAD_FAILED when a required model does not load
 * or a graph cannot be made.
 */
export async function createMillrace(input: MillraceInput): Promise<Millrace> {
  const result = await loadConfig({ input, flags: [], env: {}, cwd: process.cwd() });
  if (result.kind === "invalid") {
    throw new InvalidConfigError(result.problems.map((problem) => renderProblem(problem)));
  }
  const { config } = result;
  // A part of somebody else's program is quiet unless something is wrong or the caller says otherwise.
  const isLevelChosen = [...result.origins.keys()].some(
    (path) => path.startsWith("server.log.level") && result.origins.get(path)?.kind !== "default",
  );
  const log = isLevelChosen
    ? config.server.log
    : { ...config.server.log, levels: { default: "warn" as const } };
  const logging = await createLogging(log);
  const role = await createServeRole(config, logging.loggerFor);
  await role.loadModels();
  if (role.readiness.isReady) {
    const logKeeper = createLogKeeper(logging, true);
    logKeeper.apply(config);
    return new Millrace(role, logKeeper);
  }
  const reasons = role.readiness.problems().join("; ");
  await role.stop(0);
  throw new MillraceError("MODEL_LOAD_FAILED", `Cannot start: ${reasons}`);
}
