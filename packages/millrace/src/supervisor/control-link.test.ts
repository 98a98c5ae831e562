import { expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import type { LoadedConfig } from "../config/print.ts";
import type { ChangeOrder, UpStatus } from "../control/control-messages.ts";
import { TestClock } from "../core/test-clock.ts";
import type { StoredOverride } from "../ports/override-store.ts";
import { ControlLink, type ControlLinkOptions } from "./control-link.ts";
import type { Layers } from "./layers.ts";
import { RunningConfig } from "./running-config.ts";

const OVERLOAD = "services.a.overload";
const never = new Promise<never>(() => undefined);

async function load(): Promise<LoadedConfig> {
  const models = { a: "a.onnx", b: "b.onnx" };
  const input = { models, services: { a: { overload: "reject" as const } } };
  const result = await loadConfig({ input, flags: [], env: {}, cwd: import.meta.dirname });
  if (result.kind === "invalid") throw new Error("Cannot load the file");
  return result;
}

async function setup(serving: ReturnType<ControlLinkOptions["serving"]> = []) {
  const file = await load();
  const clock = new TestClock();
  const warnings: string[] = [];
  const silent = (): void => undefined;
  const warn = (_fields: object, message: string): void => void warnings.push(message);
  const running = new RunningConfig(file, file.config, silent);
  let laid: Layers | undefined;
  const link = new ControlLink({
    clock,
    log: { debug: silent, info: silent, warn, error: silent },
    running,
    serving: () => serving,
    kept: () => [],
    processCount: serving.length,
    change: async (lay) => void (laid = await lay(running.layers)),
    persist: () => Promise.resolve(),
    adoptKept: () => Promise.resolve(),
  });
  const call = <Result>(method: string, params?: unknown): Promise<Result> =>
    link.methods[method]?.(params as never) as Promise<Result>;
  return { call, clock, warnings, laid: () => laid };
}

function stored(path: string, value: string): StoredOverride {
  const facts = { by: "ann", reason: "", setAtMs: 0, expiresAtMs: undefined };
  return { path, value, version: 1, ...facts };
}

/** What is left when the override of the whole has gone: a part of what the file has as a word. */
function withoutWhole(isExpiry: boolean): ChangeOrder {
  const overrides = [stored(`${OVERLOAD}.fallback`, "b"), stored("services.b.timeout", "1s")];
  return { overrides: { version: 2, overrides }, paths: [OVERLOAD], isExpiry };
}

it("change() refuses what leaves an override that does not fit", async () => {
  const { call, laid } = await setup();
  await expect(call("change", withoutWhole(false))).rejects.toMatchObject({
    code: "INVALID_OVERRIDE",
    message: expect.stringContaining("set it as a whole") as string,
  });
  expect(laid()).toBeUndefined();
});

it("change() sets aside what an expiry leaves without a place, and the rest holds", async () => {
  const { call, laid, warnings } = await setup();
  await call("change", withoutWhole(true));
  expect(laid()?.setAside).toMatchObject([{ path: `${OVERLOAD}.fallback`, version: 1 }]);
  expect(laid()?.config.services["b"]?.timeoutMs).toBe(1_000);
  expect(warnings).toEqual([expect.stringContaining("is set aside")]);
});

it("status() and explain() answer without a process that hangs, at once when another one knows", async () => {
  const hung = { status: () => never, explain: () => never };
  const sound = {
    status: () => Promise.resolve({ models: [], graphs: [] }),
    explain: () => Promise.resolve("a record"),
  };
  const two = await setup([hung, sound]);
  expect(await two.call<UpStatus>("status")).toMatchObject({ models: [] });
  expect(await two.call("explain", "some id")).toBe("a record");

  const one = await setup([hung]);
  const asked = Promise.all([one.call("status"), one.call("explain", "some id")]);
  one.clock.advanceMs(5_000);
  expect(await asked).toEqual([expect.objectContaining({ models: [] }), undefined]);
});
