import { expect, test } from "vitest";
import { recognizeFormat } from "./recognize-format.ts";

test.each([
  ["\x80\x04\x95", "Python pickle"],
  ["PK\x03\x04rest", "zip file"],
  ["\x89HDF\r\n\x1a\n", "HDF5"],
  ["version https://git-lfs.github.com/spec/v1\noid sha256:1", "Git LFS pointer"],
  ["\x1c\0\0\0TFL3", "TensorFlow Lite"],
  ["\x08\0\0\0ORTM", "ORT-format"],
  ["\x93NUMPY\x01", "NumPy array"],
  ["\x1f\x8b\x08", "gzip"],
  ['\x40\0\0\0\0\0\0\0{"weights":', "safetensors"],
  ["\n<!DOCTYPE html><html>", "HTML page"],
  ['<?xml version="1.0"?><PMML>', "XML file"],
  ['  {"model": 1}', "JSON file"],
  ["hello", "text file"],
])("recognizeFormat() says what it is when the file starts with %j", (start, name) => {
  expect(recognizeFormat(Buffer.from(start, "latin1"))).toContain(name);
});

test("recognizeFormat() says nothing when the bytes are unknown", () => {
  expect(recognizeFormat(Uint8Array.of(1, 2, 3, 4))).toBeUndefined();
  expect(recognizeFormat(new Uint8Array(0))).toBeUndefined();
});
