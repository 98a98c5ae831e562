import { describe, expect, test } from "vitest";
import { MillraceError } from "../../core/errors.ts";
import { checkStatus } from "./check-status.ts";

const WALL_MS = Date.UTC(2026, 0, 1);

function check(
  status: number,
  headers: Record<string, string> = {},
  body = "",
): MillraceError | undefined {
  const facts = { remote: "far", secrets: ["hunter22"], wallMs: WALL_MS };
  try {
    checkStatus({ status, headers, bytes: Buffer.from(body) }, facts);
    return undefined;
  } catch (error) {
    if (error instanceof MillraceError) return error;
    throw error;
  }
}

describe("checkStatus()", () => {
  test("checkStatus() lets 200 and 201 pass, and a compressed body not", () => {
    expect([check(200), check(201, { "content-encoding": "identity" })]).toEqual([
      undefined,
      undefined,
    ]);
    expect(check(200, { "content-encoding": "gzip" })?.reason).toBe("reply");
  });

  test.each([
    [301, "http://169.254.169.254/", "answered 301 to http://169.254.169.254/"],
    [302, "http://user:pw@10.0.0.1/a?token=hunter22#x", "to http://10.0.0.1/a"],
    [307, "/next?token=hunter22", "to /next"],
    [302, "/a\u001b[31m\u0000b", "to /a [31m b"],
    [302, `/${"x".repeat(5_000)}`, `to /${"x".repeat(199)}`],
  ])(
    "checkStatus() says for the log alone where a redirect points: %i %s",
    (status, location, target) => {
      const error = check(status, { location });
      expect(error?.code).toBe("REMOTE_FAILED");
      expect(error?.reason).toBe("redirect");
      expect(error?.message).toBe(
        `Cannot predict: remote "far" answered ${status}, redirects are not followed`,
      );
      expect(String(error?.cause)).toContain(`answered ${status}`);
      expect(String(error?.cause).endsWith(target)).toBe(true);
    },
  );

  test("checkStatus() keeps a body for the log alone, cleaned and cut, without secrets", () => {
    const error = check(500, {}, `{"error":"bad hunter22\u001b[0m ${"x".repeat(5_000)}"}`);
    expect(error?.message).toBe('Cannot predict: remote "far" answered 500');
    const cause = String(error?.cause);
    expect(cause).toContain('answered 500: "{\\"error\\":\\"bad *** [0m xxx');
    expect(cause.length).toBeLessThan(260);
    expect(check(302)?.message).toContain("answered 302, redirects");
  });

  test("checkStatus() tells a request that is refused from a server that fails", () => {
    expect([400, 404, 422, 429, 500, 503].map((status) => check(status)?.reason)).toEqual([
      "refused",
      "refused",
      "refused",
      "limited",
      "status",
      "status",
    ]);
  });

  test("checkStatus() tells a server that has too much to do from one that fails", () => {
    expect(check(503, { "x-envoy-overloaded": "true" })?.reason).toBe("limited");
    expect(check(500, { "x-envoy-overloaded": "true" })?.reason).toBe("status");
  });

  test.each([
    ["7", 7],
    ["0", 1],
    ["999999999", 3_600],
    ["Thu, 01 Jan 2026 00:00:09 GMT", 9],
    ["Thu, 01 Jan 2025 00:00:00 GMT", undefined],
    ["soon", undefined],
  ])("checkStatus() reads Retry-After: %s", (header, seconds) => {
    expect(check(503, { "retry-after": header })?.retryAfterSeconds).toBe(seconds);
  });
});
