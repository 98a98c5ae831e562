import { expect, it } from "vitest";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { TestClock } from "../core/test-clock.ts";
import { LogKeeper } from "./log-keeper.ts";

const silent = (): void => undefined;

/** @param entry module of the process. */
function keeperOf(entry: string): LogKeeper {
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  const options = { clock: new TestClock(), log, entry, onLine: silent, isDetached: false };
  return new LogKeeper(options);
}

async function configOf(input: object): Promise<Config> {
  const models = { a: "a.onnx" };
  const result = await loadConfig({
    input: { models, ...input },
    flags: [],
    env: {},
    cwd: import.meta.dirname,
  });
  if (result.kind === "invalid") throw new Error("Cannot load the file");
  return result.config;
}

it("apply() starts nothing where nothing is logged", async () => {
  const keeper = keeperOf("no-such-module.ts");
  keeper.apply(await configOf({}));
  keeper.apply(await configOf({ state: { dir: "./state" }, log: { sink: "off" } }));
  expect([keeper.facts, keeper.process]).toEqual([undefined, undefined]);
  expect(await keeper.metrics()).toEqual([]);
  await keeper.stop();
});

it("find(), status() and forget() say LOG_UNAVAILABLE while the process does not run", async () => {
  const keeper = keeperOf(`${import.meta.dirname}/no-such-module.ts`);
  keeper.apply(await configOf({ state: { dir: "./state" } }));
  const asked = [
    keeper.find("x"),
    keeper.status(),
    keeper.forget({ unitHash: "x", by: "ann", reason: "" }),
  ];
  for (const answer of asked) {
    await expect(answer).rejects.toMatchObject({
      code: "LOG_UNAVAILABLE",
      message: "Cannot ask the prediction log: the log process does not run",
    });
  }
  expect(keeper.facts).toMatchObject({ label: "log", state: "starting" });
  await keeper.process?.ended;
  expect(keeper.restarts).toBe(1);
  expect(await keeper.metrics()).toEqual([]);
  await keeper.stop();
});
