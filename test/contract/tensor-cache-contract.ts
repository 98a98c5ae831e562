import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Datatype, TensorData } from "../../packages/millrace/src/core/tensor/datatype.ts";
import type { Tensor } from "../../packages/millrace/src/core/tensor/tensor.ts";
import type {
  CachedTensors,
  Lookup,
  TensorCache,
} from "../../packages/millrace/src/ports/tensor-cache.ts";

export interface TensorCacheContract {
  /** Cache under test, for the names of the tests. */
  readonly name: string;
  /** A fresh one that can be asked. */
  readonly create: () => Promise<TensorCacheUnderTest>;
}

export interface TensorCacheUnderTest {
  readonly cache: TensorCache;
  /** Lets time pass for the cache. */
  readonly pass: (ms: number) => Promise<void>;
}

const STORED_WALL_MS = 1_700_000_000_123;
const HOUR_MS = 3_600_000;

/** What every TensorCache adapter must do. Call it once at the top of a test file. */
export function describeTensorCacheContract({ name, create }: TensorCacheContract): void {
  describe(`${name} tensor cache contract`, () => {
    let cache: TensorCache;
    let pass: (ms: number) => Promise<void>;
    beforeEach(async () => {
      ({ cache, pass } = await create());
    });
    afterEach(async () => {
      await cache.close();
    });

    /** What is stored is there as soon as it is asked for afterwards. */
    async function found(key: string): Promise<Lookup> {
      return cache.get(key);
    }

    test("get() finds nothing where nothing was stored", async () => {
      expect(await found("p:0")).toBe("missing");
    });

    test("get() gives back what set() stored, with its time", async () => {
      const value = valueOf(1, 2, 3);
      cache.set("p:1", value, HOUR_MS);
      expect(await found("p:1")).toEqual(value);
    });

    test("get() gives back each datatype, bit by bit", async () => {
      const bits = new Uint32Array([0x8000_0000, 0x7fc0_0001, 0xff80_0000, 1]);
      const outputs: Tensor[] = [
        tensorOf("FP32", new Float32Array(bits.buffer)),
        tensorOf("FP64", Float64Array.of(-0, Number.NaN, 1e-310)),
        tensorOf("INT64", BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)),
        tensorOf("UINT64", BigUint64Array.of(2n ** 64n - 1n)),
        tensorOf("INT8", Int8Array.of(-128, 127)),
        tensorOf("UINT8", Uint8Array.of(255)),
        tensorOf("INT16", Int16Array.of(-32768)),
        tensorOf("UINT16", Uint16Array.of(65535, 1, 2)),
        tensorOf("INT32", Int32Array.of(-1)),
        tensorOf("UINT32", Uint32Array.of(4294967295)),
        tensorOf("FP16", Uint16Array.of(0x3c00)),
        tensorOf("BF16", Uint16Array.of(0x3f80)),
        tensorOf("BOOL", Uint8Array.of(0, 1)),
        tensorOf("BYTES", ["", "ä", "日本", "a\0b", "😀"]),
      ];
      cache.set("p:all", { outputs, storedWallMs: STORED_WALL_MS }, HOUR_MS);
      const back = (await found("p:all")) as CachedTensors;
      expect(back.outputs.map(bitsOf)).toEqual(outputs.map(bitsOf));
    });

    test("get() gives back empty tensors, scalars, and no tensors at all", async () => {
      const outputs: Tensor[] = [
        { name: "none", datatype: "FP32", shape: [0, 4], data: new Float32Array(0) },
        { name: "scalar", datatype: "INT32", shape: [], data: Int32Array.of(7) },
        { name: "texts", datatype: "BYTES", shape: [0], data: [] },
      ];
      cache.set("p:1", { outputs, storedWallMs: 1 }, HOUR_MS);
      cache.set("p:2", { outputs: [], storedWallMs: 1 }, HOUR_MS);
      expect(((await found("p:1")) as CachedTensors).outputs).toEqual(outputs);
      expect(((await found("p:2")) as CachedTensors).outputs).toEqual([]);
    });

    test("get() gives back a window of a larger array as itself", async () => {
      const data = Float32Array.of(0, 1, 2, 3, 4, 5).subarray(1, 4);
      cache.set("p:1", { outputs: [tensorOf("FP32", data)], storedWallMs: 1 }, HOUR_MS);
      const { outputs } = (await found("p:1")) as CachedTensors;
      const back = outputs[0]!.data as Float32Array;
      expect(back).toEqual(Float32Array.of(1, 2, 3));
      expect(back.buffer.byteLength).toBeLessThan(200);
    });

    test("set() takes the place of what is there", async () => {
      cache.set("p:1", valueOf(1), HOUR_MS);
      cache.set("p:1", valueOf(2), HOUR_MS);
      expect(await found("p:1")).toEqual(valueOf(2));
    });

    test("get() tells keys apart that differ in one character", async () => {
      cache.set("p:a", valueOf(1), HOUR_MS);
      cache.set("d:a", valueOf(2), HOUR_MS);
      expect(await found("p:a")).toEqual(valueOf(1));
      expect(await found("d:a")).toEqual(valueOf(2));
      expect(await found("p:A")).toBe("missing");
    });

    test("get() finds nothing once the time of a value is over, be it a fraction", async () => {
      cache.set("p:short", valueOf(1), 150.5);
      cache.set("p:long", valueOf(2), HOUR_MS);
      expect(await found("p:short")).toEqual(valueOf(1));
      await pass(160);
      expect(await found("p:short")).toBe("missing");
      expect(await found("p:long")).toEqual(valueOf(2));
    });

    test("set() begins the time of a value anew", async () => {
      cache.set("p:1", valueOf(1), 150);
      cache.set("p:1", valueOf(2), HOUR_MS);
      await pass(160);
      expect(await found("p:1")).toEqual(valueOf(2));
    });

    test("get() and set() of many keys at once never mix them", async () => {
      const keys = Array.from({ length: 200 }, (_, i) => `p:${i}`);
      for (const [i, key] of keys.entries()) cache.set(key, valueOf(i), HOUR_MS);
      const all = await Promise.all(keys.map((key) => found(key)));
      expect(all).toEqual(keys.map((_, i) => valueOf(i)));
    });

    test("close() ends it: nothing is found, nothing is stored, nothing throws", async () => {
      cache.set("p:1", valueOf(1), HOUR_MS);
      await found("p:1");
      await cache.close();
      cache.set("p:2", valueOf(2), HOUR_MS);
      expect(await found("p:1")).toBeTypeOf("string");
      expect(await found("p:2")).toBeTypeOf("string");
      await cache.close();
    });
  });
}

export function valueOf(...values: number[]): CachedTensors {
  const outputs = [tensorOf("FP32", Float32Array.from(values))];
  return { outputs, storedWallMs: STORED_WALL_MS };
}

function tensorOf(datatype: Datatype, data: TensorData): Tensor {
  return { name: `ü ${datatype}`, datatype, shape: [1, data.length], data };
}

function bitsOf({ data, ...rest }: Tensor): unknown {
  if (Array.isArray(data)) return { ...rest, data };
  return {
    ...rest,
    hex: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex"),
  };
}
