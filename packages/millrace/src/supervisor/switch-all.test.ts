import { describe, expect, it } from "vitest";
import type { Config } from "../config/config.ts";
import { MillraceError } from "../core/errors.ts";
import { TestClock } from "../core/test-clock.ts";
import { ChannelClosedError } from "./ipc-peer.ts";
import { switchAll, type SwitchingProcess } from "./switch-all.ts";

type Step = "prepare" | "persist" | "commit";

const never = new Promise<never>(() => undefined);

/** Processes that write down what they are asked, and do something else at one step. */
function setup(odd: Partial<Record<Step, () => Promise<void>>> = {}) {
  const clock = new TestClock();
  const said: string[] = [];
  const say = (text: string): Promise<void> => {
    said.push(text);
    return Promise.resolve();
  };
  const process = (pid: number): SwitchingProcess => {
    const own = (step: Step): Promise<void> => {
      said.push(`${step} ${pid}`);
      return (pid === 2 ? odd[step]?.() : undefined) ?? Promise.resolve();
    };
    return {
      pid,
      prepare: () => own("prepare"),
      commit: () => own("commit"),
      abort: () => say(`abort ${pid}`),
      kill: () => void said.push(`kill ${pid}`),
    };
  };
  const silent = (): void => undefined;
  const done = switchAll(
    [process(1), process(2)],
    { config: {} as Config, overrideVersion: 1 },
    {
      clock,
      log: { debug: silent, info: silent, warn: silent, error: silent },
      persist: () => odd.persist?.() ?? say("persist"),
      onDecided: () => void said.push("decided"),
    },
  );
  return { clock, said, done };
}

describe("switchAll()", () => {
  it("lets all make ready, keeps the change, then lets all switch", async () => {
    const { said, done } = setup();
    await done;
    const order = ["prepare 1", "prepare 2", "persist", "decided", "commit 1", "commit 2"];
    expect(said).toEqual(order);
  });

  it("keeps nothing and lets nobody switch when one refuses", async () => {
    const refusal = new MillraceError("INVALID_OVERRIDE", "Cannot serve it");
    const { said, done } = setup({ prepare: () => Promise.reject(refusal) });
    await expect(done).rejects.toBe(refusal);
    expect(said).toEqual(["prepare 1", "prepare 2", "abort 1", "abort 2"]);
  });

  it("lets nobody switch when the change cannot be kept", async () => {
    const { said, done } = setup({ persist: () => Promise.reject(new Error("the disk is full")) });
    await expect(done).rejects.toThrow("the disk is full");
    expect(said).toEqual(["prepare 1", "prepare 2", "abort 1", "abort 2"]);
  });

  it("gives up when one does not answer in 5 s", async () => {
    const { clock, said, done } = setup({ prepare: () => never });
    clock.advanceMs(5_000);
    await expect(done).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(said.slice(2)).toEqual(["abort 1", "abort 2"]);
    expect(clock.timerCount).toBe(0);
  });

  it.each(["prepare", "commit"] as const)("goes on without one that ends at %s", async (step) => {
    const { said, done } = setup({ [step]: () => Promise.reject(new ChannelClosedError()) });
    await done;
    expect(said).toContain("decided");
    expect(said).not.toContain("kill 2");
  });

  it("kills one that was ready and does not switch: it starts again with the change", async () => {
    const { said, done } = setup({ commit: () => Promise.reject(new Error("a defect")) });
    await done;
    expect(said.slice(-3)).toEqual(["commit 1", "commit 2", "kill 2"]);
  });
});
