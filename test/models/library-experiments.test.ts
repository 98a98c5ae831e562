import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { MillraceInput } from "../../packages/millrace/src/config/define-config.ts";
import { createMillrace, type Millrace } from "../../packages/millrace/src/library.ts";
import { fixtureModel } from "../fixtures/fixture-model.ts";

function inputOf(dir?: string): MillraceInput {
  const model = { source: fixtureModel("gather.onnx"), sample: [0] };
  return {
    ...(dir === undefined ? {} : { state: { dir } }),
    models: { old: model, new: model },
    services: {
      s: {
        graph: "old",
        traffic: {
          experiment: {
            name: "rf",
            unit: "header.x-user-id",
            arms: { control: "old", treatment: "new" },
          },
        },
      },
    },
  };
}

async function armsOf(millrace: Millrace): Promise<ReadonlyMap<string, string | undefined>> {
  const units = Array.from({ length: 20 }, (_, i) => `user-${i}`);
  const found = units.map(async (unit) => {
    const { variant, model } = await millrace.predict("s", [1], { unit });
    expect(model).toBe(variant === "control" ? "old@1" : "new@1");
    return [unit, variant] as const;
  });
  return new Map(await Promise.all(found));
}

test("predict() gives a unit the same arm each time, in each program of a state folder", async () => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-library-"));
  const first = await createMillrace(inputOf(folder));
  const arms = await armsOf(first);
  expect(new Set(arms.values())).toEqual(new Set(["control", "treatment"]));
  expect(await armsOf(first)).toEqual(arms);
  await first.close();
  const second = await createMillrace(inputOf(folder));
  expect(await armsOf(second)).toEqual(arms);
  await second.close();
  rmSync(folder, { recursive: true, force: true });
});

test("predict() takes the arm that is wanted, and control where nobody is named", async () => {
  const millrace = await createMillrace(inputOf());
  expect(await millrace.predict("s", [1])).toMatchObject({ variant: "control", model: "old@1" });
  const wanted = await millrace.predict("s", [1], { variant: "treatment" });
  expect(wanted).toMatchObject({ variant: "treatment", model: "new@1" });
  await expect(millrace.predict("s", [1], { variant: "best" })).rejects.toMatchObject({
    code: "INVALID_HEADER",
    message: expect.stringContaining("control, treatment") as string,
  });
  expect(await millrace.predict("old", [1], { unit: "ann" })).toMatchObject({ variant: undefined });
  await millrace.close();
});
