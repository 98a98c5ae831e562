import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseCommandLine, UsageError, type Command } from "./command.ts";
import { readReplayOrder, REPLAY_OPTIONS, type ReplayOrder } from "./replay-order.ts";

const NOW_MS = Date.UTC(2026, 10, 21, 17);

const COMMAND = { options: REPLAY_OPTIONS } as unknown as Command;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-compare-"));
});

afterAll(() => rm(folder, { recursive: true }));

function read(words: string): Promise<ReplayOrder> {
  const line = parseCommandLine(words === "" ? [] : words.split(" "), COMMAND);
  const io = { stdout: { write: () => true }, stderr: { write: () => true }, env: {}, cwd: folder };
  return readReplayOrder(line, io, NOW_MS);
}

const PLAIN = "--service iris --candidate forest";

describe("readReplayOrder()", () => {
  it("takes the last day at full speed, all of it, when nobody says otherwise", async () => {
    expect(await read(PLAIN)).toEqual({
      service: "iris",
      candidate: { kind: "name", name: "forest", version: undefined },
      candidateText: "forest",
      fromUs: (NOW_MS - 86_400_000) * 1000,
      untilUs: NOW_MS * 1000,
      speed: "max",
      limit: Infinity,
      concurrency: 32,
      compare: { kind: "auto", tolerance: 0.001 },
      withErrors: false,
      agreementMin: undefined,
      output: undefined,
    });
  });

  it("reads versions, files, times, paces and shares", async () => {
    const order = await read(
      "--service iris --candidate iris@2 --since 7d --until 2026-11-20T12:00:00Z --speed 2.5 --limit 9 --concurrency 3 --compare tolerance --tolerance 0.5 --min-agreement 99.5% --output a/b.html --include-errors",
    );
    expect(order).toMatchObject({
      candidate: { kind: "name", name: "iris", version: 2 },
      fromUs: (NOW_MS - 7 * 86_400_000) * 1000,
      untilUs: Date.UTC(2026, 10, 20, 12) * 1000,
      speed: 2.5,
      limit: 9,
      concurrency: 3,
      compare: { kind: "tolerance", tolerance: 0.5 },
      withErrors: true,
      agreementMin: 0.995,
      output: join(folder, "a/b.html"),
    });
    const file = await read(
      "--service iris --candidate ./new.onnx --compare top-k --k 2 --speed 1",
    );
    expect(file).toMatchObject({
      candidate: { kind: "file", path: join(folder, "new.onnx"), name: "new" },
      compare: { kind: "top-k", k: 2 },
      concurrency: 1000,
    });
  });

  it.each([
    ["--candidate forest", "--service is missing"],
    ["--service iris", "--candidate is missing"],
    [`${PLAIN} --speed fast`, '--speed: expected max or a number above 0, found "fast"'],
    [`${PLAIN} --speed 0`, "--speed: expected max"],
    [`${PLAIN} --since yesterday`, "--since: expected a duration such as 24h or a time"],
    [`${PLAIN} --since 1h --until 2h`, "--since: expected a time before --until"],
    [`${PLAIN} --limit 0`, "--limit: expected a whole number from 1"],
    [`${PLAIN} --concurrency 1e9`, "--concurrency: expected a whole number"],
    [
      `${PLAIN} --compare similar`,
      "--compare: expected equal, label, tolerance, top-k or a .ts file",
    ],
    [`${PLAIN} --tolerance -1`, "--tolerance: expected a number of at least 0"],
    [`${PLAIN} --min-agreement 99`, "--min-agreement: expected a share such as 99% or 0.99"],
  ])("refuses %s", async (words, message) => {
    const refusal = await read(words).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(UsageError);
    expect((refusal as Error).message).toContain(message);
  });

  it("compares by a file of the user, whose mistakes are disagreements", async () => {
    await writeFile(
      join(folder, "near.ts"),
      `export default (logged: { value: number }, candidate: { value: number }) => {
        if (candidate.value < 0) throw new Error("below zero");
        if (candidate.value > 100) return "much";
        const distance = candidate.value - logged.value;
        return candidate.value === 50 ? true : { isAgreed: distance < 2, distance, detail: "by " + distance };
      };`,
    );
    const { compare } = await read(`${PLAIN} --compare ./near.ts`);
    if (compare.kind !== "custom") throw new Error(`found ${compare.kind}`);
    const at = (value: number) =>
      compare.compare({ value: 1, label: undefined }, { value, label: undefined });
    expect(at(2)).toEqual({ isAgreed: true, distance: 1, detail: "by 1" });
    expect(at(5)).toEqual({ isAgreed: false, distance: 4, detail: "by 4" });
    expect(at(50)).toEqual({ isAgreed: true });
    expect(at(-1)).toEqual({ isAgreed: false, detail: "the comparison failed: below zero" });
    expect(at(101).detail).toContain("it gave string, expected a boolean");
  });

  it("says what is wrong with such a file", async () => {
    await writeFile(join(folder, "none.mjs"), "export const compare = 1;");
    await expect(read(`${PLAIN} --compare ./none.mjs`)).rejects.toThrow(/expected export default/);
    await expect(read(`${PLAIN} --compare ./absent.ts`)).rejects.toThrow(/cannot import it/);
  });
});
