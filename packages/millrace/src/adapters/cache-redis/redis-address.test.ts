import { expect, test } from "vitest";
import { redisAddressOf } from "./redis-address.ts";

test("redisAddressOf() shows where it is, and nothing that is secret", () => {
  const texts = [
    ["redis://127.0.0.1:6379", "redis://127.0.0.1:6379"],
    ["rediss://user:p%40ss@cache.example.com:6380/2", "rediss://cache.example.com:6380/2"],
    ["redis://:pass@[::1]:6379/0?password=other&family=6", "redis://[::1]:6379/0"],
    ["/run/redis.sock", "/run/redis.sock"],
  ] as const;
  for (const [url, text] of texts) expect(redisAddressOf(url).text).toBe(text);
});

test("redact() takes the password out of what a server says, encoded or not", () => {
  const address = redisAddressOf("redis://:p%40ss@localhost?password=other");
  expect(
    address.redact("ERR unknown command, with args beginning with: `p@ss`, `other`, `p%40ss`"),
  ).toBe("ERR unknown command, with args beginning with: `***`, `***`, `***`");
});

test("redact() changes nothing where there is no password", () => {
  expect(redisAddressOf("redis://localhost").redact("ERR no")).toBe("ERR no");
});
