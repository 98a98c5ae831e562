/** The formats that are decoded. Their decoders read nothing but the bytes they are given; that of SVG opens files. */
export type ImageFormat = "JPEG" | "PNG" | "WebP";

export const FORMATS_TEXT = "JPEG, PNG or WebP";

export type FormatRecognition =
  | { readonly kind: "image"; readonly format: ImageFormat }
  /** What it is instead, for a message: `a GIF`. */
  | { readonly kind: "other"; readonly found: string };

/**
 * Says what bytes are, by themselves: neither a file's name nor its declared type is asked.
 * @param head the first bytes, 16 or more where there are so many.
 */
export function recogniseFormat(head: Uint8Array): FormatRecognition {
  if (head.length === 0) return { kind: "other", found: "nothing" };
  const text = Buffer.from(head.subarray(0, HEAD_BYTES)).toString("latin1"); // a character a byte
  if (text.startsWith("\xff\xd8\xff")) return { kind: "image", format: "JPEG" };
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return { kind: "image", format: "PNG" };
  if (text.startsWith("RIFF") && text.startsWith("WEBP", 8))
    return { kind: "image", format: "WebP" };
  const other = OTHERS.find(([, start, at = 0]) => text.startsWith(start, at));
  if (other !== undefined) return { kind: "other", found: other[0] };
  const isMarkup = /^(\xef\xbb\xbf)?\s*</.test(text);
  if (isMarkup) return { kind: "other", found: "SVG, HTML or other XML" };
  const firstBytes = Buffer.from(head.subarray(0, 4)).toString("hex");
  return { kind: "other", found: `an unknown format (it begins with 0x${firstBytes})` };
}

/** More than any format needs, and enough to look past the white space before markup. */
const HEAD_BYTES = 64;

/** What people send by mistake, to be named: what it is, what it begins with, and at which byte. */
const OTHERS: readonly (readonly [found: string, start: string, at?: number])[] = [
  ["a GIF", "GIF8"],
  ["a TIFF", "II*\0"],
  ["a TIFF", "MM\0*"],
  ["a BMP", "BM"],
  ["a PDF", "%PDF"],
  ["a ZIP file", "PK\x03\x04"],
  ["a gzip file", "\x1f\x8b"],
  ["an AVIF", "ftypavif", 4],
  ["a HEIC", "ftyphei", 4],
  ["a HEIF", "ftypmif1", 4],
  ["a video", "ftyp", 4],
  ["a JPEG XL", "\xff\x0a"],
  ["a JPEG XL", "JXL ", 4],
  ["a JPEG 2000", "jP  ", 4],
  ["base64 inside base64", "/9j/"],
  ["base64 inside base64", "iVBORw0KGgo"],
];
