import { expect, test } from "vitest";
import type { ModelProgram } from "../../ports/runtime.ts";
import { asksForPort, fillPlaceholders } from "./fill-placeholders.ts";

const FILE = { path: "/models/a b.bin", sha256: undefined, threads: 2 };
const SOCKET = { kind: "socket", path: "/tmp/s/1" } as const;

function programOf(command: readonly string[], env: Record<string, string> = {}): ModelProgram {
  const rest = { model: "iris", folder: "/", files: [], hasSource: true, startMs: 1 };
  return { command, env, ...rest };
}

test("fillPlaceholders() fills every word and variable, each as often as it stands there", () => {
  const program = programOf(["run", "{source}", "--as={model}:{model}", "{threads}", "{socket}"], {
    WHERE: "unix:{socket}",
  });
  const { command, env } = fillPlaceholders(program, FILE, SOCKET);
  expect(command).toEqual(["run", "/models/a b.bin", "--as=iris:iris", "2", "/tmp/s/1"]);
  expect(env).toEqual({
    WHERE: "unix:/tmp/s/1",
    MILLRACE_MODEL_SOURCE: "/models/a b.bin",
    MILLRACE_MODEL: "iris",
    MILLRACE_THREADS: "2",
    MILLRACE_SOCKET: "/tmp/s/1",
  });
});

test("fillPlaceholders() leaves what it does not know, and fills nothing twice", () => {
  const program = programOf(["{port}", "{other}", '{"source": 1}', "{source}"]);
  const file = { ...FILE, path: "/{model}" };
  expect(fillPlaceholders(program, file, SOCKET).command).toEqual([
    "{port}",
    "{other}",
    '{"source": 1}',
    "/{model}",
  ]);
});

test("fillPlaceholders() gives a port instead of a socket when there is one", () => {
  const { command, env } = fillPlaceholders(programOf(["{port}"]), FILE, { kind: "port", port: 9 });
  expect(command).toEqual(["9"]);
  expect(env).toMatchObject({ MILLRACE_PORT: "9" });
  expect(env).not.toHaveProperty("MILLRACE_SOCKET");
});

test("fillPlaceholders() does not let a program's own variables stand for its facts", () => {
  const program = programOf(["run"], { MILLRACE_MODEL: "other" });
  expect(fillPlaceholders(program, FILE, SOCKET).env["MILLRACE_MODEL"]).toBe("iris");
});

test.each([
  [["run", "--port={port}"], {}, true],
  [["run"], { PORT: "{port}" }, true],
  [["run", "{socket}"], {}, false],
])("asksForPort() of %j with %j is %s", (command, env, expected) => {
  expect(asksForPort(programOf(command, env as Record<string, string>))).toBe(expected);
});
