import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MillraceClient } from "millrace-client";
import { copyExample, MillraceProcess } from "../../test/e2e/millrace-process.ts";
import { describeReadme } from "../run-readme.ts";

describeReadme("slow-model");

const TIMEOUT_MS = 20_000;

/** Long enough that everything else a test does is short beside it. */
const ROUNDS = 300_000;

describe("slow-model", () => {
  let example: { path: string; remove: () => Promise<void> };
  let millrace: MillraceProcess;
  let client: MillraceClient;

  beforeAll(async () => {
    example = await copyExample("slow-model");
    millrace = await MillraceProcess.start(["up", example.path]);
    client = new MillraceClient({
      url: millrace.url,
      timeoutMs: TIMEOUT_MS,
      retries: { max: 0 },
    });
  });
  afterAll(async () => {
    await millrace.stop();
    await example.remove();
  });

  it("each model is where the README says when it was timed", () => {
    const models = millrace.facts.models as readonly { name: string; placement?: string }[];
    const placements = models.map(({ name, placement }) => [name, placement] as const);
    expect(Object.fromEntries(placements)).toEqual({
      iris: "inline",
      slow: "worker",
      "slow-inline": "inline",
    });
  });

  it("the fast model answers first when the slow one was asked first", async () => {
    const answered: string[] = [];
    const slow = client.predict("slow", [ROUNDS]).then(() => answered.push("slow"));
    await client.predict("iris", [[5.1, 3.5, 1.4, 0.2]]);
    answered.push("iris");
    await slow;
    expect(answered).toEqual(["iris", "slow"]);
  });

  it("the second instance takes a request when the first one is busy", async () => {
    const answered: string[] = [];
    const long = client.predict("slow", [2 * ROUNDS]).then(() => answered.push("long"));
    await client.predict("slow", [1]);
    answered.push("short");
    await long;
    expect(answered).toEqual(["short", "long"]);
  });

  it("a deadline ends a request and not the model when it passes during the run", async () => {
    const late = client.predict("slow", [ROUNDS], { timeoutMs: 30 });
    await expect(late).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    const { prediction } = await client.predict("slow", [7]);
    expect(prediction).toBe(7);
  });
});
