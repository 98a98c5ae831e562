import { expect, it } from "vitest";
import type { Config } from "../config/config.ts";
import type { ServeStatus } from "../serve/serve-status.ts";
import { applyAll } from "./apply-all.ts";
import { ChannelClosedError } from "./ipc-peer.ts";

const ORDER = { config: {} as Config, overrideVersion: 1 };
const STATUS: ServeStatus = { models: [], graphs: [] };

const done = { apply: () => Promise.resolve(STATUS) };
const ended = { apply: () => Promise.reject(new ChannelClosedError()) };
const broken = { apply: () => Promise.reject(new Error("a defect")) };

it("applyAll() goes on without a process that ends, and with none", async () => {
  expect(await applyAll([ended, done], ORDER)).toBe(STATUS);
  expect(await applyAll([ended], ORDER)).toBeUndefined();
});

it.each([
  ["ends", ended],
  ["fails", broken],
])("applyAll() waits for the others when one %s: no change comes in between", async (_how, odd) => {
  let finish = (): void => undefined;
  const slow = {
    apply: () => new Promise<ServeStatus>((resolve) => (finish = () => resolve(STATUS))),
  };
  let isDone = false;
  const applied = applyAll([odd, slow], ORDER).then(
    () => (isDone = true),
    (error: Error) => {
      isDone = true;
      return error.message;
    },
  );
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  expect(isDone).toBe(false);
  finish();
  expect(await applied).toBe(odd === broken ? "a defect" : true);
});
