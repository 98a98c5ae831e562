import { describe, expect, it } from "vitest";
import { RESULT, RESULT_COLUMNS } from "./result-block.ts";
import { ResultRecorder } from "./result-recorder.ts";

const ENDING = {
  start: { seq: 9, target: 2, intendedMs: 1.5 },
  sentMs: 2.5,
  firstByteMs: 3.5,
  doneMs: 4.5,
  code: 200,
  bytesOut: 10,
  bytesIn: 20,
  error: "",
};

describe("ResultRecorder", () => {
  it("take() has every column where RESULT says it is", () => {
    const recorder = new ResultRecorder();
    recorder.ended(ENDING);
    const { values, count } = recorder.take();
    expect([values.length, count]).toEqual([RESULT_COLUMNS, 1]);
    const { start, ...rest } = ENDING;
    const row = { ...start, ...rest, error: 0 };
    for (const [name, column] of Object.entries(RESULT)) {
      expect([name, values[column]]).toEqual([name, row[name as keyof typeof row]]);
    }
  });

  it("take() has each text of an error once, and begins anew", () => {
    const recorder = new ResultRecorder();
    for (const error of ["a", "", "b", "a"]) recorder.ended({ ...ENDING, error });
    recorder.dropped(7);
    const { values, errors, dropped } = recorder.take();
    const numbers = [0, 1, 2, 3].map((i) => values[i * RESULT_COLUMNS + RESULT.error]);
    expect([numbers, errors, dropped]).toEqual([[1, 0, 2, 1], ["a", "b"], [7]]);
    recorder.ended({ ...ENDING, error: "b" });
    expect(recorder.take()).toMatchObject({ count: 1, errors: ["b"], dropped: [] });
    expect(recorder.take()).toMatchObject({ count: 0, errors: [], dropped: [] });
  });

  it("isFull before anything is lost", () => {
    const recorder = new ResultRecorder();
    let count = 0;
    for (; !recorder.isFull; count++) recorder.ended({ ...ENDING, doneMs: count });
    const block = recorder.take();
    expect(block.count).toBe(count);
    expect(block.values[(count - 1) * RESULT_COLUMNS + RESULT.doneMs]).toBe(count - 1);
    expect(recorder.isFull).toBe(false);
    for (let i = 0; !recorder.isFull; i++) recorder.dropped(i);
    expect(recorder.take().dropped.length).toBeGreaterThan(1);
  });
});
