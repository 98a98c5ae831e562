import { describe, expect, test } from "vitest";
import type { Datatype, TensorData } from "../core/tensor/datatype.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import { proveBatching } from "./prove-batching.ts";
import { ComputedModel } from "./test-loaded-model.ts";

function tensor(data: TensorData, datatype: Datatype = "FP32", shape = [1, data.length]): Tensor {
  return { name: "INPUT", datatype, shape, data };
}

/** A model of one input that computes `compute` for all rows at once, with any number of columns. */
function modelOf(
  compute: (input: Tensor) => Tensor,
  datatype: Datatype = "FP32",
  shape = [-1, -1],
): ComputedModel {
  const spec = { name: "INPUT", datatype, shape };
  return new ComputedModel(([input]) => [{ ...compute(input as Tensor), name: "OUTPUT" }], {
    inputs: [spec],
    outputs: [{ ...spec, name: "OUTPUT" }],
  });
}

const numbersOf = ({ data }: Tensor): number[] => [...(data as Float32Array)];

/** Less the mean of all rows: mixes them. */
function centred(input: Tensor): Tensor {
  const values = numbersOf(input);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { ...input, data: Float32Array.from(values, (value) => value - mean) };
}

/** Divided by the largest of all rows: mixes them, and gives 1 for equal ones. */
function scaled(input: Tensor): Tensor {
  const values = numbersOf(input);
  const largest = Math.max(...values);
  return { ...input, data: Float32Array.from(values, (value) => value / largest) };
}

const BATCHED = { isBatched: true, reason: undefined };

describe("shapes", () => {
  const identity = (input: Tensor): Tensor => input;

  test.each([
    [[], 'input "INPUT" is a single value, it has no axis for rows'],
    [[2, 3], 'the first axis of input "INPUT" has the fixed extent 2, shape [2, 3]'],
  ])("proveBatching() refuses inputs of shape %j without running the model", async (shape, why) => {
    const model = modelOf(identity, "FP32", shape);
    expect(await proveBatching(model, [tensor(new Float32Array(6))])).toEqual({
      isBatched: false,
      reason: why,
    });
    expect(model.rowsRun).toEqual([]);
  });

  test("proveBatching() refuses an output without an axis for rows", async () => {
    const model = new ComputedModel((inputs) => [...inputs], {
      outputs: [{ name: "SUM", datatype: "FP32", shape: [] }],
    });
    const { reason } = await proveBatching(model, [tensor(new Float32Array(1))]);
    expect(reason).toBe('output "SUM" is a single value, it has no axis for rows');
  });

  test("proveBatching() refuses a model without inputs", async () => {
    const { reason } = await proveBatching(new ComputedModel(() => [], { inputs: [] }), []);
    expect(reason).toBe("the model has no inputs");
  });
});

describe("behaviour", () => {
  test.each([
    ["zeros", [0, 0]],
    ["ones", [1, 1]],
    ["numbers near one", [0.9999, 1.0001]],
    ["large numbers", [3e8, 4e8]],
    ["negative numbers", [-1, -2]],
    ["infinity", [Infinity, 1]],
  ])("proveBatching() finds out a model that mixes rows when the sample is %s", async (_, row) => {
    for (const compute of [centred, scaled]) {
      const { reason } = await proveBatching(modelOf(compute), [tensor(Float32Array.from(row))]);
      expect(reason).toBe('two rows together give another "OUTPUT" than apart');
    }
  });

  test("proveBatching() uses the sample's own second row", async () => {
    const model = modelOf((input) => {
      if (numbersOf(input).some((value) => value !== 5 && value !== 7)) throw new Error("unknown");
      return input;
    });
    const own = tensor(Float32Array.of(5, 7), "FP32", [2, 1]);
    expect(await proveBatching(model, [own])).toEqual(BATCHED);
    const { reason } = await proveBatching(model, [tensor(Float32Array.of(5))]);
    expect(reason).toContain("a sample of two rows would tell more");
  });

  test("proveBatching() refuses a model that gives one row for two", async () => {
    const model = modelOf((input) => ({ ...input, data: input.data.slice(0, 1), shape: [1, 1] }));
    const { reason } = await proveBatching(model, [tensor(Float32Array.of(1))]);
    expect(reason).toBe('output "OUTPUT" has 1 rows for two');
  });

  test("proveBatching() keeps the order of rows: a model that swaps two is found out", async () => {
    const model = modelOf((input) => ({ ...input, data: input.data.slice().reverse() }));
    const { isBatched } = await proveBatching(model, [tensor(Float32Array.of(3))]);
    expect(isBatched).toBe(false);
  });
});

describe("tolerance", () => {
  /** Adds `error` where two rows run together. */
  const inexact = (error: (value: number) => number, datatype: Datatype) =>
    modelOf(
      (input) =>
        input.shape[0] === 1
          ? input
          : { ...input, data: (input.data as Float32Array).map((value) => error(value)) },
      datatype,
    );

  test.each([
    ["FP32", (value: number) => value * 1.00005, true],
    ["FP32", (value: number) => value * 1.001, false],
    ["FP64", (value: number) => value + 5e-6, true],
    ["FP64", (value: number) => value + 1e-2, false],
  ] as const)("proveBatching() allows %s to differ a little: %s → %s", async (type, error, is) => {
    const data = type === "FP32" ? Float32Array.of(2) : Float64Array.of(2);
    expect((await proveBatching(inexact(error, type), [tensor(data, type)])).isBatched).toBe(is);
  });

  test.each([
    ["four last places", (bits: number) => bits + 4, true],
    ["five last places", (bits: number) => bits + 5, false],
    ["across zero", (bits: number) => (bits === 1 ? 0x8001 : bits), true],
    ["the sign", (bits: number) => bits ^ 0x8000, false],
  ])("proveBatching() lets FP16 differ in %s: %s", async (_, error, isBatched) => {
    const model = inexact(error, "FP16");
    const { isBatched: is } = await proveBatching(model, [tensor(Uint16Array.of(1), "FP16")]);
    expect(is).toBe(isBatched);
  });

  test("proveBatching() takes NaN for equal to NaN", async () => {
    const model = modelOf((input) => ({
      ...input,
      data: new Float32Array(input.data.length).fill(NaN),
    }));
    expect(await proveBatching(model, [tensor(Float32Array.of(1))])).toEqual(BATCHED);
  });
});

describe("datatypes", () => {
  const SAMPLES: [Datatype, TensorData][] = [
    ["BOOL", Uint8Array.of(1, 0)],
    ["UINT8", Uint8Array.of(0, 255)],
    ["INT32", Int32Array.of(-2147483648, 5)],
    ["INT64", BigInt64Array.of(0n, 2n ** 53n + 1n)],
    ["FP16", Uint16Array.of(0, 0x3800)],
    ["BF16", Uint16Array.of(0x3f00, 0)],
    ["FP32", Float32Array.of(0, 1)],
    ["FP64", Float64Array.of(NaN, 1)],
    ["BYTES", ["", "a"]],
  ];

  test.each(SAMPLES)("proveBatching() proves a model of %s rows", async (datatype, data) => {
    const model = modelOf((input) => input, datatype);
    expect(await proveBatching(model, [tensor(data, datatype)])).toEqual(BATCHED);
  });

  test.each(SAMPLES)(
    "proveBatching() tries two rows of %s that differ in every element",
    async (datatype, data) => {
      const seen: TensorData[] = [];
      const model = modelOf((input) => {
        seen.push(input.data);
        return input;
      }, datatype);
      await proveBatching(model, [tensor(data, datatype)]);
      const [one, other] = seen as [TensorData, TensorData];
      for (let i = 0; i < one.length; i++) expect(other[i]).not.toEqual(one[i]);
    },
  );

  test("proveBatching() finds out a model of 16-bit floats that takes the largest of all rows", async () => {
    const model = modelOf((input) => {
      const bits = input.data as Uint16Array;
      return { ...input, data: bits.map(() => Math.max(...bits)) };
    }, "FP16");
    const { isBatched } = await proveBatching(model, [tensor(Uint16Array.of(0), "FP16")]);
    expect(isBatched).toBe(false);
  });
});
