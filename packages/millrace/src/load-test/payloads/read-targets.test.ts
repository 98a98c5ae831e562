import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestRandom } from "../../core/test-random.ts";
import { LoadInputError } from "../load-input-error.ts";
import { readTargets } from "./read-targets.ts";
import type { TargetsOptions } from "./targets-options.ts";

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "millrace-targets-"));
  mkdirSync(join(folder, "other"));
  writeFileSync(join(folder, "body.json"), '{"hello":"world"}');
  writeFileSync(join(folder, "seq.json"), '{"n":{{seq}}}');
  writeFileSync(join(folder, "bad.json"), "\n{{row}}");
  writeFileSync(join(folder, "other", "far.json"), "far");
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe("readTargets() of the http format", () => {
  test("reads methods, URLs, headers and files of bodies, over comments and blank lines", async () => {
    const text = `
      # a comment
      GET http://localhost:6060/
      X-Header: 1
      X-Header: 2

      PUT https://localhost:6060/123?a=b

      DELETE http://moo:443/boo
      # another one
      POST http://foobar.org/fnord
      Authorization: Token a:b:c
      @ body.json

      PURGE http://:6060/cache
      POST http://foobar.org/far
      @far.json
      HEAD http://[::1]:8000/
    `;
    expect(await read(text)).toEqual([
      {
        method: "GET",
        url: "http://localhost:6060/",
        headers: [
          ["content-type", "text/plain"],
          ["X-Header", "1"],
          ["X-Header", "2"],
        ],
        body: "default",
        weight: 1,
      },
      plain("PUT", "https://localhost:6060/123?a=b"),
      plain("DELETE", "http://moo:443/boo"),
      {
        method: "POST",
        url: "http://foobar.org/fnord",
        headers: [
          ["content-type", "text/plain"],
          ["Authorization", "Token a:b:c"],
        ],
        body: '{"hello":"world"}',
        weight: 1,
      },
      plain("PURGE", "http://localhost:6060/cache"),
      { ...plain("POST", "http://foobar.org/far"), body: "far" },
      plain("HEAD", "http://[::1]:8000/"),
    ]);
  });

  test("fills templates of bodies in, and reads a file that several name once", async () => {
    const text = "POST http://a/1\n@seq.json\n\nPOST http://a/2\n@seq.json";
    const { targets, choice } = await readTargets(text, optionsOf("http"));
    expect(targets[0]?.body.map((part) => part.kind)).toEqual(["bytes", "seq", "bytes"]);
    expect(targets[1]?.body).toBe(targets[0]?.body);
    expect(choice).toBe("in-turn");
  });

  test("reads lines that end as on Windows", async () => {
    expect(await read("GET http://a/\r\nX: 1\r\n\r\nGET http://b/\r\n")).toHaveLength(2);
  });

  test.each([
    { text: "", message: "t.http: there are no targets" },
    { text: "# nothing", message: "t.http: there are no targets" },
    {
      text: "\nGET",
      message:
        't.http:2: expected a method and a URL, like GET http://localhost:8000/, found "GET"',
    },
    { text: "get http://a/", message: 'found "get http://a/"' },
    {
      text: "GET foobar",
      message: 't.http:1: expected a URL like http://localhost:8000/, found "foobar"',
    },
    { text: "GET ftp://a/", message: "t.http:1: expected a URL like" },
    { text: "GET http://", message: "t.http:1: expected a URL like" },
    {
      text: "GET http://a/\nAuthorization",
      message:
        't.http:2: expected a header like name: value, or @ and the file of the body, found "Authorization"',
    },
    { text: "GET http://a/\nAuthorization:", message: "t.http:2: expected a header" },
    { text: "GET http://a/\n: 1234", message: "t.http:2: expected a header" },
    { text: "GET http://a/\na b: 1", message: 't.http:2: "a b" is no header that can be sent' },
    { text: "@body.json", message: "t.http:1: expected a method and a URL" },
    {
      text: "GET http://a/\n\n@body.json",
      message: "t.http:3: expected a method and a URL",
    },
    {
      text: "GET http://a/\n@absent.json",
      message: "t.http:2: cannot read the body from absent.json: ENOENT",
    },
    {
      text: "GET http://a/\n@/absent/absolute.json",
      message: "t.http:2: cannot read the body from /absent/absolute.json: ENOENT",
    },
    { text: "GET http://a/\n@bad.json", message: "bad.json:2: {{row}} needs rows" },
  ])("refuses $text: $message", async ({ text, message }) => {
    const failed = await failureOf(text, "http");
    expect(failed).toBeInstanceOf(LoadInputError);
    expect((failed as Error).message).toContain(message);
  });
});

describe("readTargets() of the json format", () => {
  test("reads targets, and what they weigh", async () => {
    const text = [
      '{"method":"POST","url":"http://a/1","header":{"X-A":["1","2"]},"body":"eyJhIjoxfQ==","more":[1]}',
      "",
      '{"method":"GET","url":"http://:8000/2","weight":2.5,"body":""}',
    ].join("\n");
    const { targets, choice } = await readTargets(text, optionsOf("json"));
    expect(shown(targets)).toEqual([
      {
        method: "POST",
        url: "http://a/1",
        headers: [
          ["content-type", "text/plain"],
          ["X-A", "1"],
          ["X-A", "2"],
        ],
        body: '{"a":1}',
        weight: 1,
      },
      { ...plain("GET", "http://localhost:8000/2"), weight: 2.5 },
    ]);
    expect(choice).toBe("by-weight");
  });

  const target = (members: object): string =>
    JSON.stringify({ method: "GET", url: "http://a/", ...members });

  test.each([
    { text: "  \n", message: "t.json: there are no targets" },
    { text: "{", message: "t.json:1: Expected property name" },
    { text: "\n[]", message: "t.json:2: expected a JSON object a line" },
    { text: "null", message: "t.json:1: expected a JSON object a line" },
    { text: "{}", message: 't.json:1: expected the texts "method" and "url"' },
    { text: target({ url: 5 }), message: 'expected the texts "method" and "url"' },
    { text: target({ method: "" }), message: 't.json:1: expected a method like POST, found ""' },
    { text: target({ method: "G T" }), message: "expected a method like POST" },
    { text: target({ url: "/x" }), message: "expected a URL like" },
    { text: target({ body: "x" }), message: 't.json:1: expected "body" in base64' },
    { text: target({ body: "é===" }), message: 'expected "body" in base64' },
    { text: target({ body: {} }), message: 'expected "body" in base64' },
    {
      text: target({ header: { a: "b" } }),
      message: 'expected "header" like {"content-type": ["application/json"]}',
    },
    { text: target({ header: [] }), message: 'expected "header" like' },
    { text: target({ header: { a: [1] } }), message: 'expected "header" like' },
    { text: target({ header: { a: ["1\r\nb: 2"] } }), message: '"a" is no header' },
    { text: target({ header: { "a:": ["1"] } }), message: '"a:" is no header' },
    { text: target({ weight: 0 }), message: 'expected "weight" above 0, at most 1000000000' },
    { text: target({ weight: -1 }), message: 'expected "weight" above 0' },
    { text: target({ weight: "1" }), message: 'expected "weight" above 0' },
  ])("refuses $text: $message", async ({ text, message }) => {
    const failed = await failureOf(text, "json");
    expect(failed).toBeInstanceOf(LoadInputError);
    expect((failed as Error).message).toContain(message);
  });
});

test("readTargets() bounds how many there are", async () => {
  const text = "GET http://a/\n".repeat(100_001);
  expect((await failureOf(text, "http")) as Error).toMatchObject({
    message: "t.http:100001: more than 100000 targets",
  });
});

test("readTargets() of any text gives targets or a LoadInputError", async () => {
  const seed = Date.now() % 2 ** 31;
  const random = new TestRandom(seed);
  let readable = 0;
  for (let round = 0; round < 4000; round++) {
    const format = random.next() < 0.5 ? "http" : "json";
    const text = mangled(SEEDS[format], random);
    const found = await readTargets(text, optionsOf(format)).catch((error: unknown) => error);
    if (found instanceof LoadInputError) continue;
    expect(found, `seed ${seed}, text ${JSON.stringify(text)}`).toHaveProperty("targets");
    readable++;
  }
  expect(readable).toBeGreaterThan(100);
});

const SEEDS = {
  http: "GET http://a:80/x?y=z\nX-A: 1\n\n# c\nPOST https://[::1]/\nB: 2\n@body.json\n\nPUT http://:1/\n@seq.json\n",
  json: '{"method":"POST","url":"http://a/","header":{"A":["1"]},"body":"e3tzZXF9fQ==","weight":2}\n{"method":"GET","url":"http://b/"}\n',
} as const;

const PIECES = [
  "\n",
  "@",
  "#",
  ":",
  " ",
  "{{row}}",
  "{{",
  "}}",
  '"',
  "\\",
  "[",
  "{",
  "\0",
  "\r",
  "é",
  "\u{1F600}",
  "\ud800",
  "http://",
  "GET ",
  "null",
  "1e999",
  "@.",
  "@/",
  "%",
  "../",
] as const;

/** A text with some of it left out, doubled, moved or put in between. */
function mangled(text: string, random: TestRandom): string {
  let result = text;
  for (let changes = random.below(5); changes >= 0; changes--) {
    const at = random.below(result.length + 1);
    const to = at + random.below(12);
    const middle = random.pick(["", random.pick(PIECES), result.slice(at, to).repeat(2)]);
    result = result.slice(0, at) + middle + result.slice(random.next() < 0.5 ? at : to);
  }
  return result;
}

function optionsOf(format: "http" | "json"): TargetsOptions {
  return {
    format,
    file: `t.${format}`,
    folders: [folder, join(folder, "other")],
    headers: [["content-type", "text/plain"]],
    body: [{ kind: "bytes", bytes: Buffer.from("default") }],
    filling: { rows: undefined, sizes: [{ min: 1, max: 1, weight: 1 }] },
  };
}

async function read(text: string): Promise<unknown[]> {
  return shown((await readTargets(text, optionsOf("http"))).targets);
}

async function failureOf(text: string, format: "http" | "json"): Promise<unknown> {
  return readTargets(text, optionsOf(format)).then(
    () => undefined,
    (error: unknown) => error,
  );
}

function plain(method: string, url: string): Record<string, unknown> {
  return { method, url, headers: [["content-type", "text/plain"]], body: "default", weight: 1 };
}

function shown(targets: Awaited<ReturnType<typeof readTargets>>["targets"]): unknown[] {
  return targets.map((target) => ({
    ...target,
    body: target.body
      .map((part) => (part.kind === "bytes" ? Buffer.from(part.bytes).toString() : part.kind))
      .join(""),
  }));
}
