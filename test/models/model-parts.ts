import { createProcessRuntime, createWorkerRuntime } from "../../packages/millrace/src/main.ts";
import { OnnxRuntime } from "../../packages/millrace/src/adapters/runtime-onnx/runtime-onnx.ts";
import type { ModelConfig } from "../../packages/millrace/src/config/config.ts";
import { ByteBudget } from "../../packages/millrace/src/core/batch/byte-budget.ts";
import type { Clock } from "../../packages/millrace/src/core/clock.ts";
import type {
  ModelEvents,
  ModelsOptions,
} from "../../packages/millrace/src/models/models-options.ts";
import type { RunLimits } from "../../packages/millrace/src/models/scheduled-model.ts";
import { MemoryVersionLedger } from "../../packages/millrace/src/models/version-ledger.ts";

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export const NO_LIMITS: RunLimits = {
  receivedMs: 0,
  deadlineAtMs: Infinity,
  priority: 2,
  cancellation: undefined,
  isInputOwned: false,
};

/** The configuration of a model in a file, as the schema would give it, on the calling thread. */
export function modelConfig(path: string, overrides: Partial<ModelConfig> = {}): ModelConfig {
  return {
    name: "model",
    source: { kind: "path", path },
    sha256: undefined,
    fallback: undefined,
    runtime: "onnx",
    labels: undefined,
    output: undefined,
    score: 0,
    inputs: {},
    sample: undefined,
    threads: 1,
    instances: 1,
    placement: "inline",
    batch: { rowsMax: 64, delayMs: 0, oversize: "split" },
    slo: undefined,
    serve: { kind: "latest" },
    reload: { kind: "off" },
    isRequired: true,
    ...overrides,
  };
}

/** The real runtimes; `record` hears of everything that happens to the model. */
export function modelsOptions(clock: Clock, record: (event: string) => void): ModelsOptions {
  const events: ModelEvents = {
    loaded: (version) => record(`loaded ${version.id}`),
    switched: (next, previous) => record(`switched ${previous?.id ?? "none"} → ${next.id}`),
    changed: () => undefined,
    released: (version) => record(`released ${version.id}`),
    failed: (_name, _reason, serving) => record(`failed, ${serving?.id ?? "none"} serves`),
    recovered: (serving) => record(`recovered ${serving.id}`),
    batchEnded: () => undefined,
    executorLost: (name) => record(`lost ${name}`),
    executorBack: (name) => record(`back ${name}`),
    executorNotBack: (name) => record(`not back ${name}`),
    breakerMoved: (id, from, to) => record(`breaker ${id} ${from} → ${to}`),
  };
  return {
    runtimes: {
      onnx: { inline: new OnnxRuntime(), worker: createWorkerRuntime() },
      process: { inline: undefined, worker: createProcessRuntime(() => SILENT) },
    },
    coreCount: 1,
    random: () => 0.5,
    budget: new ByteBudget(1e9),
    ledger: new MemoryVersionLedger(),
    clock,
    events,
    downloadFolder: "",
  };
}
