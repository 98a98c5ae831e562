import { afterEach, describe, expect, test } from "vitest";
import type { MillraceInput } from "../../packages/millrace/src/config/define-config.ts";
import { createMillrace, type Millrace } from "../../packages/millrace/src/library.ts";
import { fixtureModel } from "../fixtures/fixture-model.ts";

const opened: Millrace[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((millrace) => millrace.close()));
});

async function create(services: MillraceInput["services"]): Promise<Millrace> {
  const millrace = await createMillrace({
    models: {
      gather: { source: fixtureModel("gather.onnx"), sample: [0] },
      rounds: { source: fixtureModel("rounds.onnx"), sample: [0] },
    },
    ...(services && { services }),
  });
  opened.push(millrace);
  return millrace;
}

const PAIR = { sequence: ["rounds", "gather"], map: { INDEX: "rounds.OUTPUT" } };

describe("graphs in the library", () => {
  test("predict() and infer() run a graph as the server does", async () => {
    const millrace = await create({
      pair: { graph: PAIR, cache: { prediction: { ttl: "1h" } } },
      both: { graph: { parallel: { a: "gather", b: "gather" } } },
    });
    const pair = await millrace.predict("pair", [1]);
    expect(pair).toMatchObject({
      prediction: 20,
      model: "rounds@1, gather@1",
      degraded: undefined,
    });
    const again = await millrace.predict("pair", [1]);
    expect(again.prediction).toBe(20);
    expect(again.id).not.toBe(pair.id);
    expect((await millrace.predict("both", [2])).prediction).toEqual({ a: 30, b: 30 });
    expect((await millrace.predict("both", [0, 1])).prediction).toEqual({
      a: [10, 20],
      b: [10, 20],
    });
    const index = {
      name: "INDEX",
      datatype: "INT64",
      shape: [1],
      data: BigInt64Array.of(1n),
    } as const;
    const { outputs } = await millrace.infer("both", [index], { outputNames: ["b"] });
    expect(outputs.map(({ name, data }) => [name, ...data])).toEqual([["b", 20]]);
  });

  test("predict() drops every step of a graph when its signal is aborted", async () => {
    const millrace = await create({ pair: { graph: PAIR } });
    const controller = new AbortController();
    const running = millrace.predict("pair", [1], { signal: controller.signal });
    controller.abort("not needed");
    await expect(running).rejects.toBe("not needed");
  });

  test("createMillrace() refuses a graph whose steps do not fit, and says how", async () => {
    const graph = { sequence: ["gather", "rounds"] };
    await expect(create({ pair: { graph } })).rejects.toMatchObject({
      code: "MODEL_LOAD_FAILED",
      message: expect.stringContaining("service pair is not ready: ") as string,
    });
  });
});
