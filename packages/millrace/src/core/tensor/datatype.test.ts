import { expect, test } from "vitest";
import { allocate, DATATYPES, isDatatype, isStorageOf, type Datatype } from "./datatype.ts";

const ALL = Object.keys(DATATYPES) as Datatype[];

test.each(ALL)(
  "allocate() makes zeroed storage of the right element size when the type is %s",
  (datatype) => {
    const data = allocate(datatype, 3);
    expect(data).toHaveLength(3);
    expect(Array.from<unknown, string>(data, String)).toEqual(
      Array(3).fill(datatype === "BYTES" ? "" : "0"),
    );
    if (!Array.isArray(data)) expect(data.BYTES_PER_ELEMENT).toBe(DATATYPES[datatype].bytes);
    expect(isStorageOf(datatype, data)).toBe(true);
  },
);

test("isStorageOf() is false when the numbers are stored another way", () => {
  expect(isStorageOf("FP32", new Float64Array(1))).toBe(false);
  expect(isStorageOf("BYTES", new Uint8Array(1))).toBe(false);
  expect(isStorageOf("INT64", ["1"])).toBe(false);
});

test.each(["constructor", "__proto__", "fp32", ""])("isDatatype() is false for %j", (text) => {
  expect(isDatatype(text)).toBe(false);
});
