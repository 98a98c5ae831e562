import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { capacityPage } from "../../packages/millrace/src/load-test/reports/capacity-page.ts";
import { loadPage } from "../../packages/millrace/src/load-test/reports/load-page.ts";
import { testCapacityReport } from "../../packages/millrace/src/load-test/reports/test-capacity-report.ts";
import { testLoadReport } from "../../packages/millrace/src/load-test/reports/test-load-report.ts";

const CHROMIUM = "/usr/bin/chromium";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--no-first-run",
];

const WIDE = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 844 };

const HOSTILE = `</script><script>alert(1)</script><img src=x onerror="alert(2)">'&${"x".repeat(300)}`;

const NOT_VALID = {
  valid: false,
  problems: [{ code: "lag", text: `The lag is 12 ms ${HOSTILE}` }],
} as const;

function hostileReport(): ReturnType<typeof testLoadReport> {
  const report = testLoadReport({ windows: 12 });
  const timeline = report.millrace.timeline.map((window) => ({
    ...window,
    codes: { [HOSTILE]: 9 },
  }));
  return {
    ...report,
    errors: [HOSTILE],
    status_codes: { [HOSTILE]: 9 },
    millrace: {
      ...report.millrace,
      ...NOT_VALID,
      name: HOSTILE,
      command: HOSTILE,
      targets: [HOSTILE, HOSTILE],
      arrivals: HOSTILE,
      timeline,
      objectives: [{ objective: HOSTILE, met: false, found: HOSTILE }],
      server: { requests: 1, p50_ms: 1, p99_ms: 2, refused: { [HOSTILE]: 1 } },
    },
  };
}

describe("the pages of load tests in a browser without a network", () => {
  let folder: string;
  let browser: Browser;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "millrace-page-"));
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  });
  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true });
  });

  /** @returns the page, and what it asked for beside itself or complained about. */
  async function open(
    html: string,
    options: BrowserContextOptions = {},
  ): Promise<{ page: Page; asked: string[] }> {
    const path = join(folder, "report.html");
    await writeFile(path, html);
    const address = pathToFileURL(path).href;
    const context = await browser.newContext({ viewport: WIDE, offline: true, ...options });
    const page = await context.newPage();
    const asked: string[] = [];
    page.on("request", (request) => {
      if (request.url() !== address && request.url() !== "data:,") asked.push(request.url());
    });
    page.on("console", (message) => asked.push(message.text()));
    page.on("pageerror", (error) => asked.push(error.message));
    page.on("dialog", (dialog) => {
      asked.push(dialog.message());
      void dialog.dismiss();
    });
    await page.goto(address, { waitUntil: "load" });
    return { page, asked };
  }

  /** Kept where a person wants to look at them. */
  async function keepPicture(page: Page, name: string): Promise<void> {
    const screenshots = process.env["MILLRACE_SCREENSHOTS"];
    if (screenshots === undefined) return;
    await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
  }

  /** Share of a picture's points that something is drawn on. */
  async function inkOf(page: Page, id: string): Promise<number> {
    return page.locator(`#${id} canvas`).evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      const { width, height } = canvas;
      const { data } = canvas.getContext("2d")?.getImageData(0, 0, width, height) ?? { data: [] };
      let drawn = 0;
      for (let at = 3; at < data.length; at += 4) if (data[at] !== 0) drawn++;
      return drawn / (width * height);
    });
  }

  /** What is drawn, without the pointer's lines. */
  async function pictureOf(page: Page, id: string): Promise<string> {
    return page
      .locator(`#${id} canvas`)
      .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
  }

  it.each([
    ["light", WIDE],
    ["light", PHONE],
    ["dark", WIDE],
    ["dark", PHONE],
  ] as const)(
    "answers first, draws every picture and asks for nothing: %s, %o",
    async (colorScheme, viewport) => {
      const { page, asked } = await open(await loadPage(testLoadReport()), {
        colorScheme,
        viewport,
      });
      // Each of the three answers can be read without scrolling.
      const answers = page.locator(".answer");
      expect(await answers.allInnerTexts()).toEqual(["No", "32.7 ms p99", "Yes"]);
      for (const answer of await answers.all()) {
        const box = await answer.boundingBox();
        expect((box?.y ?? Infinity) + (box?.height ?? 0)).toBeLessThan(viewport.height);
      }
      for (const id of ["latency", "percentiles", "throughput", "codes", "under-way", "lag"])
        expect(await inkOf(page, id)).toBeGreaterThan(0.01);
      expect(await overflowOf(page)).toBeLessThanOrEqual(0);
      const back = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      expect(back).toBe(colorScheme === "light" ? "rgb(255, 255, 255)" : "rgb(20, 24, 29)");
      await keepPicture(page, `load-${colorScheme}-${viewport.width}`);
      expect(asked).toEqual([]);
      await page.context().close();
    },
  );

  it("shows the figures under the pointer, looks closer in all pictures at once, and changes the scale", async () => {
    const { page, asked } = await open(await loadPage(testLoadReport()));
    const over = page.locator("#latency .u-over");
    const box = await over.boundingBox();
    if (box === null) throw new Error("The picture has no place");
    const at = (share: number) => [box.x + box.width * share, box.y + 40] as const;
    await page.mouse.move(...at(0.6));
    // The worst second, in this picture and in another one.
    expect(await page.locator("#latency .u-legend").innerText()).toMatch(/^18 s.*p99\s*44 ms/s);
    expect(await page.locator("#under-way .u-legend").innerText()).toMatch(/^18 s.*22/s);
    const whole = await pictureOf(page, "lag");
    await page.mouse.move(...at(0.4));
    await page.mouse.down();
    await page.mouse.move(...at(0.8), { steps: 5 });
    await page.mouse.up();
    const closer = [await pictureOf(page, "lag"), await pictureOf(page, "latency")];
    expect(closer[0]).not.toBe(whole);
    const button = page.locator("figure", { has: page.locator("#latency") }).getByRole("button");
    await button.click();
    expect(await button.innerText()).toBe("logarithmic");
    expect(await pictureOf(page, "latency")).not.toBe(closer[1]);
    await button.click();
    expect(await pictureOf(page, "latency")).toBe(closer[1]);
    await keepPicture(page, "load-closer");
    await page.mouse.dblclick(...at(0.5));
    expect(await pictureOf(page, "lag")).toBe(whole);
    expect(asked).toEqual([]);
    await page.context().close();
  });

  it("lets nothing of a hostile report run, and stays in its place", async () => {
    for (const viewport of [WIDE, PHONE]) {
      const { page, asked } = await open(await loadPage(hostileReport()), { viewport });
      expect(await page.locator("img, iframe").count()).toBe(0);
      expect(await page.locator(".banner").innerText()).toContain("<img src=x");
      expect(await page.locator("#codes .u-legend").innerText()).toContain("</script…");
      expect(await overflowOf(page)).toBeLessThanOrEqual(0);
      await keepPicture(page, `load-hostile-${viewport.width}`);
      expect(asked).toEqual([]);
      await page.context().close();
    }
  });

  it("refuses what a text would run, even if it came into the page as it is", async () => {
    const page = await loadPage(testLoadReport());
    const { page: opened, asked } = await open(
      page.replace(
        "<main>",
        `<main><img src="data:," onerror="document.title='taken'"><script>document.title='taken'</script>`,
      ),
    );
    expect(await opened.title()).toBe("Load test: iris");
    expect(asked.join("\n")).toContain("Content Security Policy");
    await opened.context().close();
  });

  it("draws an hour of windows within seconds", async () => {
    const report = testLoadReport({ windows: 3600, rate: 5000 });
    const { page, asked } = await open(await loadPage(report));
    expect(await inkOf(page, "latency")).toBeGreaterThan(0.05);
    const took = await page.evaluate(
      () => performance.timing.loadEventEnd - performance.timing.navigationStart,
    );
    expect(took).toBeLessThan(20_000);
    await keepPicture(page, "load-hour");
    expect(asked).toEqual([]);
    await page.context().close();
  });

  it("says that nothing was sent, without pictures", async () => {
    const report = testLoadReport({ windows: 0, facts: { ...NOT_VALID, objectives: [] } });
    const { page, asked } = await open(await loadPage(report));
    expect(await page.locator(".answer").allInnerTexts()).toEqual(["Unknown", "–", "No"]);
    expect(await page.locator("canvas").count()).toBe(0);
    await keepPicture(page, "load-empty");
    expect(asked).toEqual([]);
    await page.context().close();
  });

  it("prints in light on A4, and is as it was afterwards", async () => {
    const { page, asked } = await open(await loadPage(testLoadReport()), { colorScheme: "dark" });
    await page.evaluate(() => {
      addEventListener("beforeprint", () => {
        document.title = `${getComputedStyle(document.body).backgroundColor} ${document.querySelector("#latency canvas")?.clientWidth ?? 0}`;
      });
    });
    const pdf = await page.pdf({ format: "A4" });
    expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
    const [, color, width] = /^(rgb\(.*\)) (\d+)$/.exec(await page.title()) ?? [];
    expect(color).toBe("rgb(255, 255, 255)");
    expect(Number(width)).toBeLessThan(720);
    const canvas = page.locator("#latency canvas");
    expect(await canvas.evaluate((element) => element.clientWidth)).toBeGreaterThan(1000);
    const back = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(back).toBe("rgb(20, 24, 29)");
    expect(asked).toEqual([]);
    await page.context().close();
  });

  it("shows the knee of a capacity search, wide and narrow", async () => {
    for (const viewport of [WIDE, PHONE]) {
      const { page, asked } = await open(await capacityPage(testCapacityReport()), { viewport });
      expect(await page.locator(".answer").allInnerTexts()).toEqual([
        "900/s",
        "The service",
        "Yes",
      ]);
      for (const id of ["goodput", "knee"]) expect(await inkOf(page, id)).toBeGreaterThan(0.01);
      expect(await overflowOf(page)).toBeLessThanOrEqual(0);
      await keepPicture(page, `capacity-${viewport.width}`);
      expect(asked).toEqual([]);
      await page.context().close();
    }
  });
});

/** Pixels by which the page is wider than the window. */
async function overflowOf(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}
