import { describe, expect, it } from "vitest";
import type { JsonValue } from "../core/json.ts";
import { readRowsOf } from "./test-read-rows.ts";
import type { Tensor, TensorSpec } from "../core/tensor/tensor.ts";
import { rebuildInputs, type InputNames } from "./rebuild-inputs.ts";
import { logged } from "./test-logged.ts";

const NO_NAMES: Omit<InputNames, "specs"> = {
  columns: () => undefined,
  redacted: new Map(),
  policy: undefined,
};

const IRIS = ["sepal_length", "sepal_width"];

function matrix(name: string, rows: readonly (readonly number[])[]): Tensor {
  const data = Float32Array.from(rows.flat());
  return { name, datatype: "FP32", shape: [rows.length, rows[0]?.length ?? 0], data };
}

/** What the log makes of a request, given back. */
function roundTrip(
  inputs: readonly Tensor[],
  specs: readonly TensorSpec[],
  columns: Readonly<Record<string, readonly string[]>> = {},
  names: Partial<InputNames> = {},
) {
  const request = readRowsOf(
    logged(
      inputs,
      [
        matrix(
          "out",
          inputs.map(() => [1]),
        ),
      ],
      { of: { columns } },
    ),
  );
  return rebuildInputs(request, { ...NO_NAMES, columns: (name) => columns[name], ...names, specs });
}

const XY: readonly TensorSpec[] = [{ name: "x", datatype: "FP32", shape: [-1, 2] }];

describe("rebuildInputs()", () => {
  it("gives the very tensors back, by column and by input, of one row and of several", () => {
    for (const rows of [
      [[5.1, 3.5]],
      [
        [5.1, 3.5],
        [4.9, 3],
      ],
    ]) {
      for (const columns of [{}, { x: IRIS }]) {
        const input = matrix("x", rows);
        const record = logged([input], [matrix("p", rows)], { of: { columns } });
        const names = { ...NO_NAMES, columns: () => IRIS, specs: XY };
        expect(rebuildInputs(readRowsOf(record), names)).toEqual({
          kind: "inputs",
          inputs: [input],
        });
      }
    }
  });
  it("gives inputs back whose first axis is fixed, alone and beside one whose is not", () => {
    const fixed: Tensor = {
      name: "image",
      datatype: "UINT8",
      shape: [2, 3],
      data: new Uint8Array([1, 2, 3, 4, 5, 6]),
    };
    expect(roundTrip([fixed], [{ ...fixed }])).toEqual({ kind: "inputs", inputs: [fixed] });
    const one: Tensor = {
      name: "image",
      datatype: "UINT8",
      shape: [1, 3],
      data: new Uint8Array([1, 2, 3]),
    };
    expect(roundTrip([one], [{ ...one }])).toEqual({ kind: "inputs", inputs: [one] });
    const both = [matrix("x", [[1, 2]]), fixed];
    expect(roundTrip(both, [...XY, { ...fixed }], { x: IRIS })).toEqual({
      kind: "inputs",
      inputs: both,
    });
  });

  it("gives texts, booleans, whole numbers of 64 bits and missing numbers back", () => {
    const inputs: Tensor[] = [
      { name: "id", datatype: "INT64", shape: [1], data: new BigInt64Array([2n ** 62n + 1n]) },
      { name: "name", datatype: "BYTES", shape: [1, 1], data: ["ä"] },
      { name: "is", datatype: "BOOL", shape: [1], data: new Uint8Array([1]) },
      { name: "x", datatype: "FP64", shape: [1, 2], data: new Float64Array([NaN, 0.1]) },
    ];
    const specs = inputs.map(({ shape: [, ...rest], ...input }) => ({
      ...input,
      shape: [-1, ...rest],
    }));
    const rebuilt = roundTrip(inputs, specs);
    expect(rebuilt).toEqual({ kind: "inputs", inputs });
  });

  it("takes columns by their names, in the order of the candidate", () => {
    const rebuilt = roundTrip(
      [matrix("x", [[1, 2]])],
      XY,
      { x: IRIS },
      {
        columns: () => IRIS.toReversed(),
      },
    );
    expect(rebuilt).toEqual({ kind: "inputs", inputs: [matrix("x", [[2, 1]])] });
  });

  it("takes the only input under whatever name it was logged", () => {
    const rebuilt = roundTrip([matrix("other", [[1, 2]])], XY);
    expect(rebuilt).toEqual({ kind: "inputs", inputs: [matrix("x", [[1, 2]])] });
  });

  it.each([
    [{ a: 1 }, ["a", "b"], '"b" was not logged'],
    [{ a: 1, b: 2, c: 3 }, undefined, '"x" was not logged'],
    [
      { x: [1, 2, 3] },
      undefined,
      `the candidate's input "x" does not take it: found shape [1, 3], expected [-1, 2] (FP32), with at least one row`,
    ],
    [
      { a: 1, b: "***" },
      ["a", "b"],
      `the candidate's input "x" does not take it: found "***", expected FP32`,
    ],
    [null, undefined, "no inputs were logged"],
  ] as const)("says of %j, columns %j, why it cannot be replayed", (features, columns, reason) => {
    const [row] = readRowsOf(logged([matrix("x", [[1, 2]])], [matrix("p", [[1]])])).rows;
    const rebuilt = rebuildInputs(
      { rows: [{ ...row, features: features as JsonValue }] },
      { ...NO_NAMES, columns: () => columns, specs: XY },
    );
    expect(rebuilt).toEqual({ kind: "skipped", reason });
  });

  it("refuses what privacy has changed, as the rules say that the row was logged under", () => {
    const [row] = readRowsOf(
      logged([matrix("x", [[1, 2]])], [matrix("p", [[1]])], { of: { columns: { x: IRIS } } }),
    ).rows;
    const names = {
      ...NO_NAMES,
      columns: () => IRIS,
      specs: XY,
      policy: "p2",
      redacted: new Map([["sepal_width", '"sepal_width" is hashed: log.redact']]),
    };
    const rebuilt = (policy: string | undefined) =>
      rebuildInputs({ rows: [{ ...row, policy }] }, names);
    expect(rebuilt("p2")).toEqual({
      kind: "skipped",
      reason: '"sepal_width" is hashed: log.redact',
    });
    expect(rebuilt("p1")).toMatchObject({
      reason: expect.stringContaining("under other") as string,
    });
    expect(rebuilt(undefined).kind).toBe("inputs");
  });
});
