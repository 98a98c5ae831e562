import { join } from "node:path";
import { PythonEnv } from "../python-env.ts";
import type { Workload } from "../workloads.ts";

/** @returns the environment of a peer, from the requirements in its folder. */
export function peerEnv(name: string): PythonEnv {
  return new PythonEnv(name, join(import.meta.dirname, name, "requirements.txt"));
}

/** What `bench_model.py` reads, and where Python finds it. */
export function modelVariables({ name, modelFile }: Workload): Record<string, string> {
  return { BENCH_WORKLOAD: name, BENCH_MODEL: modelFile, PYTHONPATH: import.meta.dirname };
}
