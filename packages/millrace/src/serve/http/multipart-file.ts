import { MillraceError } from "../../core/errors.ts";

/** Bytes of a part's header lines: a name, a file name and a type need a tenth of it. */
const PART_HEADER_BYTES_MAX = 4_096;
const PART_HEADER_LINES_MAX = 8;

export interface MultipartFile {
  readonly bytes: Uint8Array;
  /** Of the form field. */
  readonly fieldName: string;
}

/**
 * Reads a form of exactly one file (RFC 7578), strictly: no text before or after it, no other field, no nested parts,
 * no transfer encoding. Nothing is written to a disk, and the file's name and type are not used.
 *
 * @param contentType value of the request's header, with the boundary.
 * @returns a view into `body`.
 * @throws INVALID_BODY saying what is wrong with the form, INVALID_HEADER when the boundary is missing.
 */
export function readMultipartFile(body: Uint8Array, contentType: string): MultipartFile {
  const boundary = boundaryOf(contentType);
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const opening = `--${boundary}\r\n`;
  if (bytes.toString("latin1", 0, opening.length) !== opening) {
    throw invalidForm(`it does not begin with the boundary "--${boundary}"`);
  }
  const header = readPartHeader(bytes, opening.length);
  const delimiter = `\r\n--${boundary}`;
  const end = bytes.indexOf(delimiter, header.end, "latin1");
  if (end === -1) throw invalidForm(`${header.text} is cut off: no boundary follows`);
  checkClosed(bytes, end + delimiter.length, header);
  if (!header.isFile) throw invalidForm(`found ${header.text} without a file, expected one file`);
  return { bytes: bytes.subarray(header.end, end), fieldName: header.name };
}

/** Nothing may follow the one part but its end, and a line break. */
function checkClosed(bytes: Buffer, from: number, header: PartHeader): void {
  const tail = bytes.toString("latin1", from, from + 5);
  if (tail === "--" || tail === "--\r\n") return;
  if (!tail.startsWith("\r\n")) {
    throw invalidForm(
      tail.startsWith("--")
        ? "found bytes behind the last boundary"
        : `a boundary in ${header.text} goes on, or is cut off`,
    );
  }
  const { text } = readPartHeader(bytes, from + 2);
  throw invalidForm(`found ${text} behind ${header.text}, expected one file and nothing else`);
}

interface PartHeader {
  readonly name: string;
  readonly isFile: boolean;
  /** For messages: `the field "image"`. */
  readonly text: string;
  /** Index of the part's content. */
  readonly end: number;
}

/** @throws INVALID_BODY when it is too long, not terminated or says what cannot be done. */
function readPartHeader(bytes: Buffer, start: number): PartHeader {
  const limit = start + PART_HEADER_BYTES_MAX;
  const end = bytes.subarray(start, limit).indexOf("\r\n\r\n", 0, "latin1");
  if (end === -1) {
    const isLong = bytes.length > limit;
    throw invalidForm(
      isLong
        ? `the header lines of a part are longer than ${PART_HEADER_BYTES_MAX} bytes`
        : "the header lines of a part do not end",
    );
  }
  const fields = readHeaderLines(bytes.toString("utf8", start, start + end));
  const disposition = readDisposition(fields.get("content-disposition") ?? "");
  const name = disposition.get("name");
  if (name === undefined) {
    throw invalidForm('a part has no "content-disposition: form-data; name=…"');
  }
  const text = `the field ${quoted(name)}`;
  const type = fields.get("content-type") ?? "";
  if (/^(multipart|message)\//i.test(type)) throw invalidForm(`${text} has parts of its own`);
  const encoding = fields.get("content-transfer-encoding") ?? "binary";
  if (!/^(binary|8bit|7bit)$/i.test(encoding)) {
    throw invalidForm(`${text} is encoded as ${quoted(encoding)}, expected the bytes themselves`);
  }
  const isFile = disposition.has("filename") || disposition.has("filename*");
  return { name, isFile, text, end: start + end + 4 };
}

/** @returns values by name in lower case. */
function readHeaderLines(text: string): Map<string, string> {
  const lines = text.split("\r\n");
  if (lines.length > PART_HEADER_LINES_MAX) {
    throw invalidForm(`a part has more than ${PART_HEADER_LINES_MAX} header lines`);
  }
  const fields = new Map<string, string>();
  for (const line of lines) {
    // One repetition only: two that may take the same spaces would take turns for milliseconds.
    const match = /^([\w!#$%&'*+.^`|~-]+):([\t -~\u{a0}-\u{10ffff}]*)$/u.exec(line);
    if (match === null) throw invalidForm(`the header line ${quoted(line)} is none`);
    const [, name = "", value = ""] = match;
    const key = name.toLowerCase();
    if (fields.has(key)) throw invalidForm(`the header ${quoted(key)} of a part stands twice`);
    fields.set(key, value.trim());
  }
  return fields;
}

/** @returns the parameters of `form-data; name="image"; filename="a.png"`; none of another disposition. */
function readDisposition(value: string): Map<string, string> {
  const parameters = new Map<string, string>();
  if (!/^form-data[\t ]*;/i.test(value)) return parameters;
  const parameter = /;[\t ]*([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s";\\]+))[\t ]*/y;
  parameter.lastIndex = value.indexOf(";");
  while (parameter.lastIndex < value.length) {
    const from = parameter.lastIndex;
    const match = parameter.exec(value);
    if (match === null) throw invalidForm(`found ${quoted(value.slice(from))} in a part's header`);
    const [, name = "", text, token = ""] = match;
    const key = name.toLowerCase();
    if (parameters.has(key)) throw invalidForm(`${quoted(key)} stands twice in a part's header`);
    parameters.set(key, text?.replaceAll(/\\(.)/g, "$1") ?? token);
  }
  return parameters;
}

/** RFC 2046: 1 to 70 characters of a small set, in quotes or not. */
function boundaryOf(contentType: string): string {
  const match = /;[\t ]*boundary=(?:"([^"]*)"|([^\s";]+))[\t ]*(?:;|$)/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2] ?? "";
  if (/^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/.test(boundary)) return boundary;
  const message = `content-type is ${quoted(contentType)}, expected multipart/form-data; boundary=…`;
  throw new MillraceError("INVALID_HEADER", `Cannot read the body: ${message}`, {
    problems: [{ location: ["header", "content-type"], message, type: "media_type" }],
  });
}

/** What a client wrote, cut and with nothing in it that a terminal obeys. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

function invalidForm(message: string): MillraceError {
  return new MillraceError("INVALID_BODY", `Cannot read the form: ${message}`, {
    problems: [{ location: ["body"], message, type: "form" }],
  });
}
