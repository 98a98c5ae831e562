import { expect, test } from "vitest";
import { readExactJson, writeExactJson } from "./exact-json.ts";

test("writeExactJson() gives back what readExactJson() read, digit by digit", () => {
  const text =
    '{"a":[9223372036854775807,1.5,-0.25,null,true],"b":{"c":"\\n","d":9007199254740993}}';
  expect(writeExactJson(readExactJson(text))).toBe(text);
});

test("writeExactJson() leaves out what is undefined, as JSON.stringify does", () => {
  expect(writeExactJson({ a: undefined, b: 1n })).toBe('{"b":1}');
});
