import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../machine.ts";
import { CACHE, PythonEnv } from "./python-env.ts";
import { runProcess } from "./run-process.ts";

export const WORKLOAD_NAMES = ["iris", "mlp512", "mlp1024", "conv"] as const;
export type WorkloadName = (typeof WORKLOAD_NAMES)[number];

/** Asked for twice what the server can do: one that costs less than its HTTP, one that costs more. */
export const OVERLOAD_MODELS = ["iris", "mlp1024"] as const satisfies readonly WorkloadName[];

/** A model and what is asked of it. */
export interface Workload {
  readonly name: WorkloadName;
  /** One input and one output, both FP32; the first dimension of each is the batch. */
  readonly modelFile: string;
  readonly casesFile: string;
  readonly inputName: string;
  /** Of one row, with the batch dimension. */
  readonly shape: readonly number[];
  readonly cases: readonly Case[];
  /** Allowed distance of an answer from what onnxruntime said in Python. */
  readonly tolerance: number;
}

export interface Case {
  readonly input: readonly number[];
  readonly output: readonly number[];
}

const FOLDER = join(import.meta.dirname, "models");
const MADE = join(CACHE, "models");

const SHAPES: Readonly<Record<WorkloadName, readonly number[]>> = {
  iris: [1, 4],
  mlp512: [1, 512],
  mlp1024: [1, 16],
  conv: [1, 3, 224, 224],
};

/** The environment the models were made in; it also runs them bare. */
export const modelsEnv = new PythonEnv("models", join(FOLDER, "requirements.txt"));

/** Makes the models, unless this script has made them already. */
export async function makeModels(): Promise<void> {
  await modelsEnv.install();
  const script = join(FOLDER, "make_models.py");
  const iris = join(ROOT, "examples/models/iris_svc.onnx");
  const made = createHash("sha256").update(readFileSync(script)).update(readFileSync(iris));
  const wanted = made.digest("hex");
  const stamp = join(MADE, "made.sha256");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  mkdirSync(MADE, { recursive: true });
  await runProcess([modelsEnv.bin("python"), script, MADE], 120_000);
  writeFileSync(stamp, wanted);
}

export function loadWorkload(name: WorkloadName): Workload {
  const casesFile = join(MADE, `${name}.json`);
  const { inputs, outputs } = JSON.parse(readFileSync(casesFile, "utf8")) as {
    readonly inputs: readonly number[][];
    readonly outputs: readonly number[][];
  }; // written by make_models.py
  return {
    name,
    modelFile: join(MADE, `${name}.onnx`),
    casesFile,
    inputName: name === "iris" ? "float_input" : "x",
    shape: SHAPES[name],
    cases: inputs.map((input, i) => ({ input, output: outputs[i] ?? [] })),
    tolerance: name === "conv" ? 1e-3 : 1e-4,
  };
}
