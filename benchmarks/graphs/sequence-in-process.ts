import { createMillrace } from "../../packages/millrace/src/library.ts";
import type { Tensor } from "../../packages/millrace/src/core/tensor/tensor.ts";
import { medianOf, percentilesOf, type Percentiles } from "../percentiles.ts";
import { madeModel } from "./make-models.ts";
import type { Plan } from "./plan.ts";

/** A sequence of two models, and each of them called by itself; microseconds. */
export interface SequenceInProcess {
  readonly encoder: Percentiles;
  readonly classifier: Percentiles;
  readonly pair: Percentiles;
  /** By the sum of the two: the median of the rounds, each of its medians. */
  readonly ratio: number;
}

type Name = "encoder" | "classifier" | "pair";
type Taken = Record<Name, number[]>;

const INPUTS: Readonly<Record<Name, Tensor>> = {
  encoder: row("x", 16),
  classifier: row("code", 64),
  pair: row("x", 16),
};
const NAMES = ["encoder", "classifier", "pair"] as const;

/** Through the library: the data plane of the server, without HTTP. */
export async function measureSequenceInProcess(plan: Plan): Promise<SequenceInProcess> {
  const millrace = await createMillrace({
    models: {
      encoder: { source: madeModel("encoder"), placement: "inline" },
      classifier: { source: madeModel("classifier"), placement: "inline" },
    },
    services: { pair: { graph: { sequence: ["encoder", "classifier"] } } },
  });
  const measureRound = async (): Promise<Taken> => {
    const taken: Taken = { encoder: [], classifier: [], pair: [] };
    for (let i = 0; i < plan.callsPerRound; i++) {
      // In turn, so that a slow moment of the machine and the garbage of one hit all of them.
      for (const name of NAMES) {
        const startMs = performance.now();
        await millrace.infer(name, [INPUTS[name]]);
        taken[name].push((performance.now() - startMs) * 1000);
      }
    }
    return taken;
  };
  await measureRound(); // to warm up
  const rounds: Taken[] = [];
  for (let i = 0; i < plan.rounds; i++) rounds.push(await measureRound());
  await millrace.close();
  const all = (name: Name): Percentiles => percentilesOf(rounds.flatMap((taken) => taken[name]));
  return {
    encoder: all("encoder"),
    classifier: all("classifier"),
    pair: all("pair"),
    ratio: medianOf(rounds.map(ratioOf)),
  };
}

function ratioOf({ encoder, classifier, pair }: Taken): number {
  return medianOf(pair) / (medianOf(encoder) + medianOf(classifier));
}

function row(name: string, width: number): Tensor {
  const data = Float32Array.from({ length: width }, (_, i) => i / width);
  return { name, datatype: "FP32", shape: [1, width], data };
}
