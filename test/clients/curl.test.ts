import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ClientServers } from "./client-server.ts";

let servers: ClientServers;
beforeAll(async () => {
  servers = await ClientServers.start();
});
afterAll(() => servers[Symbol.asyncDispose]());

/** Runs lines of shell as a person types them; `$URL` is the server. @returns what they print. */
async function shell(lines: string): Promise<string> {
  const env = { ...process.env, URL: servers.open.url };
  const child = spawn("bash", ["-euo", "pipefail", "-c", lines], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout.setEncoding("latin1")),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  if (code !== 0) throw new Error(`exit ${String(code)}: ${stderr}`);
  return stdout;
}

/** INPUT [1, 3] of identity-int64 as bytes: 1, -2, 2^53 + 1. */
const BINARY = String.raw`
json='{"inputs":[{"name":"INPUT","datatype":"INT64","shape":[1,3],"parameters":{"binary_data_size":24}}]}'
tensor='\1\0\0\0\0\0\0\0\376\377\377\377\377\377\377\377\1\0\0\0\0\0\40\0'
body() { printf '%s' "$json"; printf "$tensor"; }
`;
const INFER = "$URL/v2/models/identity-int64/infer";

describe("curl", () => {
  it("sends and receives JSON without naming its type", async () => {
    const reply = await shell(
      `curl -s ${INFER} -d '{"inputs":[{"name":"INPUT","datatype":"INT64","shape":[1,2],"data":[[9223372036854775807,-9223372036854775808]]}]}'`,
    );
    expect(reply).toBe(
      '{"model_name":"identity-int64","model_version":"1","outputs":[{"name":"OUTPUT","datatype":"INT64","shape":[1,2],"data":[9223372036854775807,-9223372036854775808]}]}',
    );
  });

  it("sends a tensor as bytes made by printf and receives JSON", async () => {
    const reply = await shell(
      `${BINARY} body | curl -s ${INFER} --data-binary @- -H "inference-header-content-length: \${#json}"`,
    );
    expect(reply).toContain('"data":[1,-2,9007199254740993]');
  });

  it("receives bytes behind JSON whose length a header gives", async () => {
    const reply = await shell(
      `${BINARY} json="\${json%\\}},\\"parameters\\":{\\"binary_data_output\\":true}}"
       body | curl -si ${INFER} --data-binary @- -H "inference-header-content-length: \${#json}"`,
    );
    const [head, body] = splitOnce(reply, "\r\n\r\n");
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(head).toMatch(/^content-type: application\/octet-stream\r?$/im);
    const length = Number(/^inference-header-content-length: (\d+)\r?$/im.exec(head)?.[1]);
    const { outputs } = JSON.parse(body.slice(0, length)) as { outputs: object[] };
    expect(outputs).toEqual([
      {
        name: "OUTPUT",
        datatype: "INT64",
        shape: [1, 3],
        parameters: { binary_data_size: 24 },
      },
    ]);
    const bytes = Buffer.from(body.slice(length), "latin1");
    expect([...new BigInt64Array(new Uint8Array(bytes).buffer)]).toEqual([1n, -2n, 2n ** 53n + 1n]);
  });

  it("sends the only input as the whole body", async () => {
    const reply = await shell(
      `printf 'three words here' | curl -si $URL/v2/models/simple_identity/infer --data-binary @- -H 'inference-header-content-length: 0'`,
    );
    const [head, body] = splitOnce(reply, "\r\n\r\n");
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    const length = Number(/^inference-header-content-length: (\d+)\r?$/im.exec(head)?.[1]);
    expect(JSON.parse(body.slice(0, length))).toMatchObject({
      outputs: [{ name: "OUTPUT0", shape: [1], parameters: { binary_data_size: 20 } }],
    });
    expect(body.slice(length)).toBe("\u0010\0\0\0three words here");
  });

  it("sends the body chunked", async () => {
    const reply = await shell(
      `${BINARY} body | curl -s ${INFER} -T - -X POST -H "inference-header-content-length: \${#json}"`,
    );
    expect(reply).toContain('"data":[1,-2,9007199254740993]');
  });

  it.each(["gzip -c", "zlib"])("sends a body packed by %s", async (packer) => {
    const isGzip = packer.startsWith("gzip");
    const python = `python3 -c 'import sys, zlib; sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))'`;
    const reply = await shell(
      `${BINARY} body | ${isGzip ? packer : python} | curl -s ${INFER} --data-binary @- -H "inference-header-content-length: \${#json}" -H "content-encoding: ${isGzip ? "gzip" : "deflate"}"`,
    );
    expect(reply).toContain('"data":[1,-2,9007199254740993]');
  });

  it("receives a large reply packed when it asks for that", async () => {
    const zeros = `[${Array.from({ length: 2_000 }, () => "0").join(",")}]`;
    const body = `{"inputs":[{"name":"INPUT","datatype":"INT64","shape":[1,2000],"data":${zeros}}]}`;
    const headers = await shell(
      `curl -s ${INFER} -H 'accept-encoding: gzip' -D - -o /dev/null -d '${body}'`,
    );
    expect(headers).toMatch(/^content-encoding: gzip\r?$/im);
    expect(headers).toMatch(/^vary:.*accept-encoding/im);
    expect(await shell(`curl -s --compressed ${INFER} -d '${body}'`)).toContain(`"data":${zeros}`);
    expect(await shell(`curl -si ${INFER} -d '${body}'`)).not.toMatch(/^content-encoding:/im);
  });

  it("gets an error for an encoding that is not known, with those that are", async () => {
    const reply = await shell(`curl -si ${INFER} -H 'content-encoding: zstd' -d '{}'`);
    expect(reply).toMatch(/^HTTP\/1\.1 415 /);
    expect(reply).toMatch(/^accept-encoding: gzip, deflate\r?$/im);
  });
});

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}
