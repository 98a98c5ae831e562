import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { htmlReport } from "../../packages/millrace/src/replay/html-report.ts";
import { TEST_REPORT } from "../../packages/millrace/src/replay/test-report.ts";

const CHROMIUM = "/usr/bin/chromium";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--no-first-run",
];

describe("the page of a replay in a browser without a network", () => {
  let folder: string;
  let address: string;
  let browser: Browser;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "millrace-page-"));
    const path = join(folder, "report.html");
    await writeFile(path, htmlReport(TEST_REPORT));
    address = pathToFileURL(path).href;
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  });
  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true });
  });

  /** @returns the page, and what it asked for beside itself or complained about. */
  async function open(
    colorScheme: "light" | "dark",
    width = 1100,
  ): Promise<{ page: Page; asked: string[] }> {
    const context = await browser.newContext({
      colorScheme,
      offline: true,
      viewport: { width, height: 900 },
    });
    const page = await context.newPage();
    const asked: string[] = [];
    page.on("request", (request) => {
      if (request.url() !== address) asked.push(request.url());
    });
    page.on("console", (message) => asked.push(message.text()));
    page.on("pageerror", (error) => asked.push(error.message));
    page.on("dialog", (dialog) => {
      asked.push(dialog.message());
      void dialog.dismiss();
    });
    await page.goto(address, { waitUntil: "networkidle" });
    return { page, asked };
  }

  it.each(["light", "dark"] as const)(
    "shows every number, in %s, and asks for nothing",
    async (scheme) => {
      const { page, asked } = await open(scheme);
      const text = await page.locator("main").innerText();
      for (const shown of [
        "Replay of iris against iris-rf@1",
        "97.21 %",
        "12,001 of 12,345 rows; 95 % interval 96.91 % to 97.49 %",
        "12,345 of 12,400 replayed, 55 skipped",
        '50 because "age" is hashed: log.redact',
        "3 MODEL_FAILED; of 2 that had failed 1 answered",
        "offered at 1.43/s, answered at 1,000/s",
        "540 µs",
        "12.30 ms",
        "2026-11-20T18:00Z",
        "→ virginica 197, 3 failed",
        "01992f3c-7a5e-7cc1-b6d4-3f0a9c2e51d8#3",
        '{"note":"<img src=x onerror=alert(1)>"}',
        "Model failed & <b>said</b> so",
      ]) {
        expect(text).toContain(shown);
      }
      expect(await page.locator("img, script, link, iframe").count()).toBe(0);
      // The bars say what the numbers say: 210 of the longest 900 µs.
      const widths = await page
        .locator(".bar.candidate")
        .evaluateAll((bars) =>
          bars.map(
            (bar) => bar.getBoundingClientRect().width / (bar.parentElement?.clientWidth ?? 1),
          ),
        );
      expect(widths.length).toBeGreaterThan(4);
      expect(Math.max(...widths)).toBeLessThanOrEqual(1);
      const back = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      expect(back).toBe(scheme === "light" ? "rgb(255, 255, 255)" : "rgb(20, 24, 29)");
      const screenshots = process.env["MILLRACE_SCREENSHOTS"];
      if (screenshots !== undefined)
        await page.screenshot({
          path: join(screenshots, `replay-${scheme}.png`),
          fullPage: true,
        });
      expect(asked).toEqual([]);
      await page.context().close();
    },
  );

  it("fits a narrow screen and prints on paper", async () => {
    const { page } = await open("dark", 380);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    const screenshots = process.env["MILLRACE_SCREENSHOTS"];
    if (screenshots !== undefined)
      await page.screenshot({ path: join(screenshots, "replay-narrow.png"), fullPage: true });
    await page.emulateMedia({ media: "print" });
    const back = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(back).toBe("rgb(255, 255, 255)");
    const pdf = await page.pdf({ format: "A4" });
    if (screenshots !== undefined) await writeFile(join(screenshots, "replay.pdf"), pdf);
    expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
    await page.context().close();
  });
});
