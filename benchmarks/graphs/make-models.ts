import { join } from "node:path";
import { CACHE } from "../serving/python-env.ts";
import { runProcess } from "../serving/run-process.ts";
import { makeModels, modelsEnv } from "../serving/workloads.ts";

const MADE = join(CACHE, "models");

/** Makes the models of the serving benchmark, unless they are there, and a few more of our own beside them. */
export async function makeGraphModels(): Promise<void> {
  await makeModels();
  const script = join(import.meta.dirname, "make_models.py");
  await runProcess([modelsEnv.bin("python"), script, MADE], 120_000);
}

/** @returns the path of a model that was made. */
export function madeModel(name: string): string {
  return join(MADE, `${name}.onnx`);
}
