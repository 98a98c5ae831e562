import { expect, test } from "vitest";
import { PredictionIds } from "../prediction-id.ts";
import { TestRandom } from "../test-random.ts";
import { readPredictionKey, requestOf } from "./prediction-key.ts";

const ID = "01992f3c-7a5e-7cc1-b6d4-3f0a9c2e51d7";

test("readPredictionKey() tells the prediction, its row and when it was made", () => {
  const madeAtMs = 0x01992f3c7a5e;
  expect(readPredictionKey(ID)).toEqual({ id: ID, row: undefined, madeAtMs });
  expect(readPredictionKey(`${ID}#12`)).toEqual({ id: ID, row: 12, madeAtMs });
});

test("readPredictionKey() reads every id that PredictionIds makes", () => {
  const random = new TestRandom(7);
  const ids = new PredictionIds((count) =>
    Uint8Array.from({ length: count }, () => random.below(256)),
  );
  for (let i = 0; i < 500; i++) {
    const wallMs = 1_763_744_000_000 + i * 977;
    const id = ids.next(wallMs);
    expect(readPredictionKey(id)).toEqual({ id, row: undefined, madeAtMs: wallMs });
  }
});

test("readPredictionKey() answers undefined for what names no prediction", () => {
  for (const text of ["", "abc", `${ID}#`, `${ID}#x`, ` ${ID}`, ID.toUpperCase(), `${ID}#1#2`]) {
    expect([text, readPredictionKey(text)]).toEqual([text, undefined]);
  }
});

test("requestOf() takes the row off an id", () => {
  expect(["a", "a#3", ""].map(requestOf)).toEqual(["a", "a", ""]);
});
