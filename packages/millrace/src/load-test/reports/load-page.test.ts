import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { loadPage } from "./load-page.ts";
import { testLoadReport } from "./test-load-report.ts";

/** Text of the answers of the first screen, in order. */
function answersOf(page: string): string[] {
  return [...page.matchAll(/<p class="answer[^"]*">(.*?)<\/p>/g)].map(([, html = ""]) =>
    html.replaceAll(/<[^>]+>/g, ""),
  );
}

const MET = { objective: "p99<50ms", met: true, found: "41.2ms" };
const MISSED = { objective: "errors<0.1%", met: false, found: "0.4%" };
const LATE = { code: "lag", text: "The lag is 12 ms, limit 5 ms" } as const;

describe("loadPage()", () => {
  it.each([
    ["all objectives met", { objectives: [MET] }, ["Yes", "Yes"]],
    ["one of them missed", { objectives: [MET, MISSED] }, ["No", "Yes"]],
    ["none set", { objectives: [] }, ["99.6 % succeeded", "Yes"]],
    [
      "met, but spoiled",
      { objectives: [MET], valid: false, problems: [LATE] },
      ["Not proven", "No"],
    ],
    ["missed and spoiled", { objectives: [MISSED], valid: false, problems: [LATE] }, ["No", "No"]],
  ])("answers on its first screen: %s", async (_, facts, [held, honest]) => {
    const page = await loadPage(testLoadReport({ facts }));
    expect(answersOf(page)).toEqual([held, "32.7 ms p99", honest]);
    expect(page.includes('role="alert"')).toBe("problems" in facts);
  });

  it("says so where nothing was sent, and has no pictures", async () => {
    const problems = [{ code: "empty", text: "Nothing was sent" } as const];
    const page = await loadPage(testLoadReport({ windows: 0, facts: { valid: false, problems } }));
    expect(answersOf(page)).toEqual(["Unknown", "–", "No"]);
    expect(page).not.toContain("<figure");
    expect(page.slice(page.indexOf("<main>"), page.indexOf("</main>"))).not.toContain("NaN");
  });

  it("warns that failures count in the latency where many failed", async () => {
    const page = await loadPage({ ...testLoadReport(), success: 0.4 });
    expect(page).toContain("60 % of these were failures, which may be fast.");
  });

  it("lets scripts run by their hashes alone, and has exactly these", async () => {
    const page = await loadPage(testLoadReport());
    const [, policy = ""] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
    const scripts = [...page.matchAll(/<script>(.*?)<\/script>/gs)].map(([, text = ""]) => text);
    expect(scripts).toHaveLength(2);
    const hashes = scripts.map(
      (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`,
    );
    expect(policy).toContain(`default-src 'none'`);
    expect(policy).toContain(`script-src ${hashes.join(" ")};`);
  });

  it("shows hostile texts as texts, in the page and in the data of its pictures", async () => {
    const hostile = `</script><script>alert(1)</script><img src=x onerror="alert(2)">'&`;
    const report = testLoadReport({
      facts: {
        name: hostile,
        command: hostile,
        protocol: hostile,
        arrivals: hostile,
        targets: [hostile],
        valid: false,
        problems: [{ code: "lag", text: hostile }],
        objectives: [{ objective: hostile, met: false, found: hostile }],
        server: { requests: 1, p50_ms: 1, p99_ms: 1, refused: { [hostile]: 1 } },
        timeline: testLoadReport().millrace.timeline.map((window) => ({
          ...window,
          codes: { [hostile]: 1 },
        })),
      },
    });
    const page = await loadPage({ ...report, errors: [hostile], status_codes: { [hostile]: 1 } });
    expect(page).not.toContain("<img");
    expect(page).not.toContain("<script>alert");
    expect(page.match(/<\/script>/g)).toHaveLength(3);
    expect(page).toContain("&lt;img src=x onerror=&quot;alert(2)&quot;&gt;&#39;&amp;");
  });

  it("names the first errors only, and cuts long ones", async () => {
    const errors = Array.from({ length: 70 }, (_, at) => `${at} ${"x".repeat(10_000)}`);
    const page = await loadPage({ ...testLoadReport(), errors });
    expect(page).toContain("and 20 more, which the JSON report has");
    expect(page).not.toContain("x".repeat(501));
  });

  it("stays below 600 KB with 3,600 windows", async () => {
    const page = await loadPage(testLoadReport({ windows: 3600 }));
    expect(page.length).toBeLessThan(600_000);
  });
});
