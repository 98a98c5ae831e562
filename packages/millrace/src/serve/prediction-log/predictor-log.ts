import type { ServiceConfig } from "../../config/config.ts";
import type { LogContext, PredictionRole } from "../../core/predictions/logged-prediction.ts";
import {
  PrivacyPlan,
  type InputColumns,
  type PrivacyRules,
} from "../../core/predictions/privacy-plan.ts";
import { shortDigest } from "../../core/predictions/short-digest.ts";
import type { Predictor } from "../../models/predictor.ts";
import type { ChosenArm } from "../experiments/service-experiment.ts";

/** Contexts of one predictor that are remembered; more are made again each time. */
const CONTEXTS_MAX = 64;

/** What tells two contexts of one predictor apart. */
export interface ContextKey {
  readonly endpoint: string;
  readonly role: PredictionRole;
  readonly rule: string | undefined;
  readonly arm: ChosenArm | undefined;
  /** Shadow whose prediction it is. */
  readonly shadow: string | undefined;
  readonly overrideVersion: number;
  /** What gave the answer; another one where something stood in. */
  readonly answeredBy: Predictor;
}

interface KnownContext {
  readonly context: LogContext;
  /** The same array as long as the same predictor answers. */
  readonly predictionNames: readonly string[];
}

export interface PredictorLogOptions {
  readonly service: ServiceConfig;
  readonly predictor: Predictor;
  readonly privacy: PrivacyRules;
  readonly policy: string;
}

/** What is logged alike for all predictions of a service by one predictor. */
export class PredictorLog {
  /** Undefined when the inputs are logged as they are. */
  readonly plan: PrivacyPlan | undefined;
  /** As a model alone is called: `iris@1`. */
  readonly id: string;
  readonly #options: PredictorLogOptions;
  /** Of the inputs as they are logged. */
  readonly #columns: InputColumns;
  readonly #inputSchema: string;
  readonly #known: KnownContext[] = [];

  constructor(options: PredictorLogOptions) {
    const { predictor, privacy } = options;
    const names = predictor.inputs.map(({ name }) => name);
    const columns = columnsOf(predictor);
    this.#options = options;
    this.plan = PrivacyPlan.of(names, columns, privacy);
    this.#columns = areDistinct(columns) ? (this.plan?.columns ?? columns) : {};
    this.id = `${predictor.modelName}@${predictor.version}`;
    this.#inputSchema = shortDigest(JSON.stringify([predictor.inputs, columns]));
  }

  /** The same object for the same key, as long as it is remembered. */
  contextOf(key: ContextKey): LogContext {
    const known = this.#known;
    for (let i = 0; i < known.length; i++) {
      const one = known[i] as KnownContext;
      if (!isOf(one, key)) continue;
      if (i > 0) {
        known[i] = known[0] as KnownContext;
        known[0] = one;
      }
      return one.context;
    }
    const context = this.#make(key);
    if (known.length >= CONTEXTS_MAX) known.pop();
    known.unshift({ context, predictionNames: key.answeredBy.predictionNames });
    return context;
  }

  #make(key: ContextKey): LogContext {
    const { endpoint, role, rule, arm, shadow, overrideVersion, answeredBy } = key;
    const { service, predictor, policy } = this.#options;
    return {
      service: service.name,
      endpoint,
      model: predictor.modelName,
      version: String(predictor.version),
      digest: predictor.digest,
      role,
      rule,
      experiment: arm?.experiment.config.name,
      variant: arm?.assignment.arm,
      phase: arm?.assignment.phase,
      shadow,
      overrideVersion,
      inputSchema: this.#inputSchema,
      policy,
      columns: this.#columns,
      predictionOutputs: answeredBy.predictionNames,
      labels: answeredBy.labels,
      scoreIndex: answeredBy.score,
      threshold: thresholdOf(service),
    };
  }
}

function isOf({ context, predictionNames }: KnownContext, key: ContextKey): boolean {
  return (
    predictionNames === key.answeredBy.predictionNames &&
    context.endpoint === key.endpoint &&
    context.role === key.role &&
    context.rule === key.rule &&
    context.overrideVersion === key.overrideVersion &&
    context.shadow === key.shadow &&
    isOfArm(context, key.arm)
  );
}

function isOfArm(context: LogContext, arm: ChosenArm | undefined): boolean {
  if (arm === undefined) return context.experiment === undefined;
  const { assignment, experiment } = arm;
  return (
    context.variant === assignment.arm &&
    context.phase === assignment.phase &&
    context.experiment === experiment.config.name
  );
}

/** Names of the columns of the inputs that have them in the file. */
function columnsOf(predictor: Predictor): InputColumns {
  const known = predictor.inputs.flatMap(({ name }) => {
    const names = predictor.inputConfig(name)?.names;
    return names === undefined ? [] : [[name, names] as const];
  });
  return Object.fromEntries(known);
}

/** Names that stand for two columns tell nothing apart: such inputs are logged by their own name. */
function areDistinct(columns: InputColumns): boolean {
  const all = Object.values(columns).flat();
  return new Set(all).size === all.length;
}

/** A service whose branches have thresholds of their own has not one. */
function thresholdOf({ parameters }: ServiceConfig): number | undefined {
  const { thresholds, thresholdDefault } = parameters;
  const hasOne = thresholds !== undefined && Object.keys(thresholds).length === 0;
  return hasOne ? thresholdDefault : undefined;
}
