import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ThreadCpu } from "./thread-cpu.ts";

function work(ms: number): void {
  const before = process.threadCpuUsage();
  for (;;) {
    const { user, system } = process.threadCpuUsage(before);
    if ((user + system) / 1000 >= ms) return;
  }
}

describe("ThreadCpu", () => {
  it("take() counts the processor, not the time", async () => {
    const cpu = new ThreadCpu();
    const begin = performance.now();
    work(20);
    await sleep(50);
    const share = cpu.take();
    const passedMs = performance.now() - begin;
    expect(share * passedMs).toBeGreaterThanOrEqual(20);
    expect(share).toBeLessThan(0.6);
  });

  it("take() leaves turns aside that found nothing to do, and begins anew", () => {
    const cpu = new ThreadCpu();
    work(20);
    for (let i = 0; i < 10_000; i++) cpu.idled(0.01);
    expect(cpu.take()).toBe(0);
    work(20);
    expect(cpu.take()).toBeGreaterThan(0);
  });

  it("idled() takes no more of a turn than an idle one has", () => {
    const cpu = new ThreadCpu();
    work(20);
    cpu.idled(1000);
    expect(cpu.take()).toBeGreaterThan(0);
  });
});
