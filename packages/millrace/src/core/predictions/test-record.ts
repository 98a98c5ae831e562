import { DATATYPES, storageOver, type Datatype, type TensorData } from "../tensor/datatype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { TestRandom } from "../test-random.ts";
import { DATATYPE_CODES, PAYLOAD_CODES } from "./block-format.ts";
import type { LogContext, LoggedPrediction } from "./logged-prediction.ts";

/** For tests: what an iris classifier is logged with. */
export function testContext(own: Partial<LogContext> = {}): LogContext {
  return {
    service: "iris",
    endpoint: "/predict",
    model: "iris",
    version: "1",
    digest: "0123456789abcdef",
    role: "primary",
    rule: undefined,
    experiment: undefined,
    variant: undefined,
    phase: undefined,
    shadow: undefined,
    overrideVersion: 0,
    inputSchema: "0a1b2c3d",
    policy: "",
    columns: { input: ["sepal_length", "sepal_width"] },
    predictionOutputs: ["probabilities"],
    labels: ["setosa", "versicolor", "virginica"],
    scoreIndex: 0,
    threshold: undefined,
    ...own,
  };
}

/** For tests: one row, answered. */
export function testRecord(own: Partial<LoggedPrediction> = {}): LoggedPrediction {
  return {
    context: testContext(),
    receivedUs: 1_763_740_000_123_456,
    predictionId: "01992f3c-7a5e-7000-8000-000000000001",
    requestId: undefined,
    traceId: undefined,
    errorCode: undefined,
    queueUs: 12,
    batchUs: 3,
    inferUs: 18,
    totalUs: 61,
    rowCount: 1,
    unitHash: undefined,
    isOutlier: undefined,
    outlierScore: undefined,
    weight: 1,
    payload: "full",
    facts: "",
    inputs: [fp32("input", [1, 2], [5.1, 3.5])],
    outputs: [fp32("probabilities", [1, 3], [0.125, 0.75, 0.125])],
    summary: undefined,
    ...own,
  };
}

export function fp32(name: string, shape: readonly number[], values: readonly number[]): Tensor {
  return { name, datatype: "FP32", shape, data: Float32Array.from(values) };
}

const TEXTS = ["", "a", "setosa", "Größe", "花".repeat(40), '😀 line\n"quoted"', "x".repeat(300)];

/** A record of anything a record may hold. */
export function randomRecord(
  random: TestRandom,
  contexts: readonly LogContext[],
): LoggedPrediction {
  const maybe = <T>(make: () => T): T | undefined => (random.below(2) === 0 ? make() : undefined);
  const text = (): string => random.pick(TEXTS as [string, ...string[]]);
  const micros = (): number => random.pick([0, 7, 127, 128, 1e6, 2 ** 31, 2 ** 40, 2 ** 53 - 1]);
  return {
    context: contexts[random.below(contexts.length)] as LogContext,
    receivedUs: 1_763_740_000_000_000 + random.below(1e9),
    predictionId: text(),
    requestId: maybe(text),
    traceId: maybe(text),
    errorCode: maybe(() => "MODEL_FAILED"),
    queueUs: micros(),
    batchUs: micros(),
    inferUs: micros(),
    totalUs: micros(),
    rowCount: random.below(2000),
    unitHash: maybe(text),
    isOutlier: maybe(() => random.below(2) === 0),
    outlierScore: maybe(() => random.pick([0, -1.5, NaN, Infinity])),
    weight: random.pick([1, 10, 1 / 3]),
    payload: PAYLOAD_CODES[random.below(PAYLOAD_CODES.length)] ?? "full",
    facts: maybe(() => JSON.stringify({ error: text() })) ?? "",
    inputs: maybe(() => randomTensors(random)),
    outputs: maybe(() => randomTensors(random)),
    summary: maybe(() => ({
      labels: maybe(() => [text(), text()]),
      scores: maybe(() => [random.next(), NaN]),
    })),
  };
}

function randomTensors(random: TestRandom): Tensor[] {
  return Array.from({ length: random.below(4) }, () => randomTensor(random));
}

function randomTensor(random: TestRandom): Tensor {
  const datatype = DATATYPE_CODES[random.below(DATATYPE_CODES.length)] as Datatype;
  const shape = Array.from({ length: random.below(4) }, () => random.below(6));
  if (random.below(20) === 0) shape.push(200);
  const count = shape.reduce((product, extent) => product * extent, 1);
  return {
    name: `t${random.below(3)}`,
    datatype,
    shape,
    data: randomData(random, datatype, count),
  };
}

function randomData(random: TestRandom, datatype: Datatype, count: number): TensorData {
  const texts = (): string => TEXTS[random.below(TEXTS.length)] as string;
  if (datatype === "BYTES") return Array.from({ length: count }, texts);
  const bytes = Uint8Array.from({ length: count * DATATYPES[datatype].bytes }, () =>
    datatype === "BOOL" ? random.below(2) : random.below(256),
  );
  return storageOver(datatype, bytes, count);
}
