import { expect, test } from "vitest";
import { recogniseFormat } from "./recognise-format.ts";

function latin1(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

test.each([
  ["JPEG", "\xff\xd8\xff\xe0\0\x10JFIF"],
  ["PNG", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"],
  ["WebP", "RIFF\x10\0\0\0WEBPVP8 "],
])("recogniseFormat() knows a %s by its first bytes", (format, head) => {
  expect(recogniseFormat(latin1(head))).toEqual({ kind: "image", format });
});

test.each([
  ["nothing", ""],
  ["a GIF", "GIF89a\x01\0\x01\0"],
  ["a TIFF", "II*\0\x08\0\0\0"],
  ["a TIFF", "MM\0*\0\0\0\x08"],
  ["a BMP", "BM\x9a\0\0\0"],
  ["a PDF", "%PDF-1.7"],
  ["a ZIP file", "PK\x03\x04\x14\0"],
  ["a gzip file", "\x1f\x8b\x08\0"],
  ["an AVIF", "\0\0\0\x20ftypavif"],
  ["a HEIC", "\0\0\0\x18ftypheic"],
  ["a video", "\0\0\0\x18ftypisom"],
  ["a JPEG XL", "\xff\x0a\0\0"],
  ["SVG, HTML or other XML", "<svg xmlns='http://www.w3.org/2000/svg'/>"],
  ["SVG, HTML or other XML", "\xef\xbb\xbf  \n<?xml version='1.0'?>"],
  ["base64 inside base64", "iVBORw0KGgoAAAANSUhEUg"],
  ["an unknown format (it begins with 0x00010203)", "\0\x01\x02\x03\x04"],
  ["an unknown format (it begins with 0xffd8)", "\xff\xd8"],
  ["an unknown format (it begins with 0x52494646)", "RIFF\x10\0\0\0WAVEfmt "],
])("recogniseFormat() names %s", (found, head) => {
  expect(recogniseFormat(latin1(head))).toEqual({ kind: "other", found });
});
