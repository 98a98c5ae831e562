import { expect, test } from "vitest";
import { LoadInputError } from "../load-input-error.ts";
import { parseBody, type BodyFilling } from "./body-template.ts";
import { testRows } from "./test-rows.ts";

const SIZES = [{ min: 1, max: 4, weight: 1 }];

const FILLING: BodyFilling = {
  rows: testRows(["length", "width (cm)"], [[1, 2]]),
  sizes: SIZES,
};

test("parseBody() finds placeholders, with spaces in their braces or without", () => {
  expect(shown('{"a":{{row}},{{ rows }}{{row.width (cm)}}{{count}}{{seq}} {{uuid}}')).toEqual([
    '{"a":',
    { kind: "row" },
    ",",
    { kind: "rows", sizes: SIZES },
    { kind: "column", column: 1 },
    { kind: "count" },
    { kind: "seq" },
    " ",
    { kind: "uuid" },
  ]);
});

test.each([
  "",
  "plain",
  "{{",
  "}}{{",
  "{{}}",
  "{{name}}",
  "{{ customer_name }} and {{#if x}}",
  "{{user.name}}",
  '{"a":{"b":{}}}',
  `{{${"x".repeat(300)}}}`,
  "{{ü}}",
])("parseBody(%j) leaves it as it is", (text) => {
  expect(shown(text)).toEqual(text === "" ? [] : [text]);
});

test("parseBody() leaves bytes that are no text as they are", () => {
  const bytes = Uint8Array.of(0xff, 0x7b, 0x7b, 0xfe, 0x7d, 0x7d, 0x00);
  expect(parseBody(bytes, FILLING, "body")).toEqual([{ kind: "bytes", bytes }]);
});

test("parseBody() finds a placeholder within braces that are none", () => {
  expect(shown("{{{row}}}")).toEqual(["{", { kind: "row" }, "}"]);
  expect(shown("{{ {{seq}}")).toEqual(["{{ ", { kind: "seq" }]);
});

test("parseBody() looks at each byte once: braces without end take no time", () => {
  const bytes = Buffer.concat([Buffer.alloc(2 * 2 ** 20, "{"), Buffer.from("}}{{seq}}")]);
  const parts = parseBody(bytes, FILLING, "body");
  expect(parts.map((part) => part.kind)).toEqual(["bytes", "seq"]);
});

test.each([
  {
    text: "a\n{{row.lenght}}",
    message: "b.json:2: {{row.lenght}} names no column of the data: it has length, width (cm)",
  },
  { text: "{{rwo}}", message: "b.json:1: {{rwo}} is unknown, did you mean {{row}}?" },
  { text: "{{UUID}}", message: "b.json:1: {{UUID}} is unknown, did you mean {{uuid}}?" },
  { text: "{{length}}", message: "b.json:1: {{length}} is unknown, did you mean {{row.length}}?" },
])("parseBody($text) is refused: $message", ({ text, message }) => {
  const read = (): unknown => parseBody(Buffer.from(text), FILLING, "b.json");
  expect(read).toThrow(LoadInputError);
  expect(read).toThrow(message);
});

test("parseBody() refuses rows where there are none", () => {
  for (const name of ["row", "rows", "row.x"]) {
    expect(() =>
      parseBody(Buffer.from(`{{${name}}}`), { rows: undefined, sizes: SIZES }, "b.json"),
    ).toThrow(`b.json:1: {{${name}}} needs rows: give a file of them with --data`);
  }
});

test("parseBody() names at most 20 columns", () => {
  const columns = Array.from({ length: 30 }, (_, index) => `c${index}`);
  const rows = testRows(columns, [columns]);
  expect(() => parseBody(Buffer.from("{{row.x}}"), { rows, sizes: SIZES }, "b")).toThrow(
    "c18, c19 and 10 more",
  );
});

function shown(text: string): unknown[] {
  return parseBody(Buffer.from(text), FILLING, "body").map((part) =>
    part.kind === "bytes" ? Buffer.from(part.bytes).toString() : part,
  );
}
