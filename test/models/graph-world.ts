import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type {
  ModelConfig,
  ParallelConfig,
  SequenceConfig,
  ServiceConfig,
  StepConfig,
  SwitchConfig,
} from "../../packages/millrace/src/config/config.ts";
import type { MillraceError } from "../../packages/millrace/src/core/errors.ts";
import { Metrics } from "../../packages/millrace/src/core/metrics/metrics.ts";
import type { Attributes } from "../../packages/millrace/src/core/rules/attributes.ts";
import type { Tensor } from "../../packages/millrace/src/core/tensor/tensor.ts";
import { TestClock } from "../../packages/millrace/src/core/test-clock.ts";
import { Models } from "../../packages/millrace/src/models/models.ts";
import type { StepSources } from "../../packages/millrace/src/ports/step-sources.ts";
import type { TensorCaches } from "../../packages/millrace/src/ports/tensor-cache.ts";
import type { DataPlane } from "../../packages/millrace/src/serve/data-plane.ts";
import {
  PRIORITY_DEFAULT,
  type Call,
  type Prediction,
} from "../../packages/millrace/src/serve/prediction.ts";
import { fixtureModel } from "../fixtures/fixture-model.ts";
import { modelConfig, modelsOptions } from "./model-parts.ts";
import { createPlane, setServices, type PlaneOptions } from "./plane-parts.ts";

/** A fixture or a path, with what else the file says. */
export type ModelFile = string | (Partial<ModelConfig> & { readonly path: string });

export interface GraphWorldOptions {
  readonly models: Readonly<Record<string, ModelFile>>;
  readonly sources?: Partial<StepSources>;
  readonly caches?: TensorCaches;
  readonly openLog?: PlaneOptions["openLog"];
}

/** A data plane over real models and a clock that stands still, with what happens to its graphs written down. */
export class GraphWorld {
  readonly clock = new TestClock();
  readonly events: string[] = [];
  readonly models: Models;
  readonly plane: DataPlane;
  readonly folder = mkdtempSync(join(tmpdir(), "millrace-graph-"));
  readonly #registry = new Metrics();

  constructor({ sources, caches, openLog }: Omit<GraphWorldOptions, "models"> = {}) {
    const record = (event: string): void => void this.events.push(event);
    const options = modelsOptions(this.clock, () => undefined);
    const changed = (model: string): void => this.plane.graphs.refresh(model);
    this.models = new Models({ ...options, events: { ...options.events, changed } });
    const { models, clock } = this;
    const all = { ...NO_SOURCES, ...sources };
    this.plane = createPlane({
      models,
      clock,
      registry: this.#registry,
      sources: all,
      record,
      ...(caches && { caches }),
      ...(openLog && { openLog }),
    });
  }

  static async create({ models, ...options }: GraphWorldOptions): Promise<GraphWorld> {
    const world = new GraphWorld(options);
    await world.load(models);
    return world;
  }

  /** Makes the models what is named, as a changed file does. */
  async load(files: Readonly<Record<string, ModelFile>>): Promise<void> {
    const configs = Object.entries(files).map(([name, file]) => {
      const { path, ...rest } = typeof file === "string" ? { path: file } : file;
      const whole = path.includes("/") ? path : fixtureModel(path);
      return [name, modelConfig(whole, { ...rest, name })] as const;
    });
    await this.models.apply(Object.fromEntries(configs));
  }

  /** Puts a version in the folder of a model. @returns that folder. */
  deploy(model: string, version: number, file: string): string {
    const path = join(this.folder, model, String(version), "model.onnx");
    mkdirSync(dirname(path), { recursive: true });
    cpSync(file.includes("/") ? file : fixtureModel(file), `${path}.draft`);
    renameSync(`${path}.draft`, path);
    return join(this.folder, model);
  }

  /** As the file would say it, alone or with others. */
  serve(...services: readonly ServiceConfig[]): Promise<void> {
    return setServices(this.plane, services);
  }

  /** Asks for the prediction of a service. */
  async predict(
    service: string,
    inputs: readonly Tensor[],
    { attributes, ...call }: Partial<Call> = {},
  ): Promise<Prediction> {
    const { plane, clock } = this;
    const target = plane.target(plane.services.get(service), attributes && { attributes });
    return plane.infer(target, inputs, target.predictor.predictionNames, {
      predictionId: plane.newPredictionId(),
      endpoint: "test",
      requestId: undefined,
      attributes: undefined,
      receivedMs: clock.nowMs(),
      priority: PRIORITY_DEFAULT,
      timeoutMs: undefined,
      cancellation: undefined,
      ...call,
    });
  }

  /** @returns the values of the outputs by name, or the code of the error. */
  async ask(
    service: string,
    inputs: readonly Tensor[],
    call: Partial<Call> = {},
  ): Promise<Record<string, unknown[]> | string> {
    try {
      const { outputs } = await this.predict(service, inputs, call);
      return Object.fromEntries(outputs.map(({ name, data }) => [name, [...data]]));
    } catch (error) {
      return (error as MillraceError).code;
    }
  }

  count(name: string, labels: readonly string[]): number {
    return this.#registry
      .snapshot()
      .filter((metric) => metric.name === name)
      .flatMap(({ series }) => series)
      .filter((series) => labels.every((label) => series.labels.includes(label)))
      .reduce((sum, { value }) => sum + value, 0);
  }

  /** Labels of the series of a metric. */
  series(name: string): (readonly string[])[] {
    const metric = this.#registry.snapshot().find((one) => one.name === name);
    return metric?.series.map(({ labels }) => labels) ?? [];
  }

  async close(): Promise<void> {
    this.plane.graphs.close();
    await this.models.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const nothing = (): Promise<never> => Promise.reject(new Error("nothing of the kind here"));
const NO_SOURCES: StepSources = {
  image: nothing,
  function: nothing,
  load: nothing,
  remote: nothing,
  combine: nothing,
};

const AT = ["services", "s", "graph"];

export function sequence(
  steps: readonly StepConfig[],
  overrides: Partial<SequenceConfig> = {},
): SequenceConfig {
  const members = steps.map((step) => ({ step, onError: "fail" as const }));
  const base = { kind: "sequence", name: "sequence", at: AT, versions: "latest", map: {} } as const;
  return { ...base, members, ...overrides };
}

export function parallel(
  branches: readonly StepConfig[],
  overrides: Partial<ParallelConfig> = {},
): ParallelConfig {
  const base = { kind: "parallel", name: "parallel", at: AT, combine: "each" } as const;
  return { ...base, branches, onError: "omit", timeoutMs: undefined, ...overrides };
}

export function switchOn(cases: SwitchConfig["cases"], otherwise: StepConfig): SwitchConfig {
  return { kind: "switch", name: "switch", at: AT, cases, default: otherwise };
}

/** Row numbers, as gather.onnx (0, 1, 2 give 10, 20, 30) and rounds.onnx take them. */
export function numbers(name: string, ...values: number[]): Tensor[] {
  const data = BigInt64Array.from(values, BigInt);
  return [{ name, datatype: "INT64", shape: [values.length], data }];
}

export function rows(name: string, ...values: (readonly number[])[]): Tensor[] {
  const data = Float32Array.from(values.flat());
  return [{ name, datatype: "FP32", shape: [values.length, values[0]?.length ?? 0], data }];
}

/** Of a request with these headers. */
export function withHeaders(headers: Readonly<Record<string, string>>): Attributes {
  return {
    method: "POST",
    path: "/predict",
    caller: undefined,
    unit: "u",
    header: (name) => headers[name],
    query: () => undefined,
    cookie: () => undefined,
    body: () => undefined,
  };
}
