import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MillraceProcess } from "./millrace-process.ts";

/** Debian's Chromium as root, without its own traffic. */
const CHROMIUM = {
  executablePath: "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
  ],
};

let millrace: MillraceProcess;
let browser: Browser;
beforeAll(async () => {
  [millrace, browser] = await Promise.all([
    MillraceProcess.start(["serve", "examples/web-single"]),
    chromium.launch(CHROMIUM),
  ]);
});
afterAll(async () => {
  await browser.close();
  await millrace.stop();
});

interface Visit {
  readonly page: Page;
  readonly errors: string[];
  /** Addresses that answered the page. */
  readonly answered: string[];
}

async function visit(path: string): Promise<Visit> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const errors: string[] = [];
  const answered: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("response", (response) => answered.push(response.url()));
  await page.goto(millrace.url + path);
  return { page, errors, answered };
}

function isLocal(url: string): boolean {
  return url.startsWith(`${millrace.url}/`) || url.startsWith("data:") || url.startsWith("blob:");
}

test("/docs shows the service with its sample and executes it when tried out", async () => {
  const { page, errors, answered } = await visit("/docs");
  await page.locator("#operations-iris-post_predict").click();
  const body = page.locator("#operations-iris-post_predict textarea");
  expect(JSON.parse(await body.inputValue())).toEqual({ data: [[5.1, 3.5, 1.4, 0.2]] });
  await page.locator("#operations-iris-post_predict button.execute").click();
  const reply = page.locator("#operations-iris-post_predict .live-responses-table");
  await reply.getByText('"prediction"').first().waitFor();
  expect(await reply.textContent()).toContain("0.9669158458709717");
  expect(errors).toEqual([]);
  expect(answered.filter((url) => !isLocal(url))).toEqual([]);
});

test("/redoc shows the service with its sample", async () => {
  const { page, errors, answered } = await visit("/redoc");
  await page.getByText("/services/iris/predict", { exact: true }).first().waitFor();
  expect(await page.title()).toBe("web-single");
  // Redoc would like a logo from its makers' server; our policy does not let it ask.
  expect(
    errors.filter((error) => !error.includes("violates the following Content Security")),
  ).toEqual([]);
  expect(answered.filter((url) => !isLocal(url))).toEqual([]);
});

test("/openapi.json describes every path with an operation, a tag and responses", async () => {
  const document = (await (await fetch(`${millrace.url}/openapi.json`)).json()) as {
    openapi: string;
    paths: Record<string, Record<string, { tags: string[]; responses: Record<string, unknown> }>>;
  };
  expect(document.openapi).toBe("3.1.0");
  const operations = Object.values(document.paths).flatMap((item) => Object.values(item));
  expect(operations.length).toBeGreaterThan(15);
  for (const operation of operations) {
    expect(operation.tags).toHaveLength(1);
    expect(Object.keys(operation.responses)).toContain("200");
  }
});
