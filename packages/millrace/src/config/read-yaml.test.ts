import { expect, it } from "vitest";
import { readYaml } from "./read-yaml.ts";

async function values(text: string): Promise<unknown> {
  const result = await readYaml(text);
  return result.kind === "ok" ? result.values : result.problems;
}

it("readYaml() reads YAML 1.2, where off, yes and 010 are what they look like", async () => {
  expect(await values("a: off\nb: yes\nc: 010\nd: 0x10")).toEqual({
    a: "off",
    b: "yes",
    c: 10,
    d: 16,
  });
});

it("readYaml() keeps ${NAME} whole inside { }", async () => {
  const text = "a: { k: ${KEY}, d: ${X:-a: b, [c]} }\nb: ${C} # ${D}";
  expect(await values(text)).toEqual({ a: { k: "${KEY}", d: "${X:-a: b, [c]}" }, b: "${C}" });
});

it("readYaml() knows where keys and values stand", async () => {
  const result = await readYaml("a:\n  b: [1, { c: 2 }]\n  d:\n");
  if (result.kind !== "ok") throw new Error("expected valid YAML");
  expect(result.positionOf(["a", "b"], "key")).toEqual({ line: 2, column: 3 });
  expect(result.positionOf(["a", "b"], "value")).toEqual({ line: 2, column: 6 });
  expect(result.positionOf(["a", "b", 1, "c"], "value")).toEqual({ line: 2, column: 15 });
  expect(result.positionOf(["a", "d"], "value")).toEqual({ line: 3, column: 3 });
  expect(result.positionOf(["a", "x"], "key")).toBeUndefined();
});

it("readYaml() finds positions behind an alias", async () => {
  const result = await readYaml("a: &x { b: 1 }\nc: *x\n");
  if (result.kind !== "ok") throw new Error("expected valid YAML");
  expect(result.positionOf(["c", "b"], "value")).toEqual({ line: 1, column: 12 });
});

it.each([
  ["a: 1\na: 2", 'the key "a" stands here a second time', 2, 1],
  ["reload: poll: 30s", "expected { key: value } or quotes", 1, 9],
  ["a: 1\n---\nb: 1", "second document", 2, 1],
  ["a: *x", '"*x" has no anchor "&x" above it', 1, 4],
  ["a: !!foo 1", "unresolved tag", 1, 4],
  ["a: 1\n\tb: 2", "tab", 2, 1],
])("readYaml() reports %j with its line and column", async (text, message, line, column) => {
  const result = await readYaml(text);
  if (result.kind !== "invalid") throw new Error("expected invalid YAML");
  expect(result.problems[0]?.message.toLowerCase()).toContain(message.toLowerCase());
  expect(result.problems[0]?.position).toEqual({ line, column });
});

it("readYaml() refuses aliases that grow without end", async () => {
  const levels = Array.from({ length: 9 }, (_, index) => {
    return `l${index + 1}: &l${index + 1} [${`*l${index},`.repeat(9)}]`;
  });
  const result = await readYaml(["l0: &l0 [1]", ...levels].join("\n"));
  expect(result.kind).toBe("invalid");
});

it("readYaml() answers nesting without end with a problem or a value, not an exception", async () => {
  const result = await readYaml("[".repeat(20_000));
  expect(result.kind).toBe("invalid");
});
