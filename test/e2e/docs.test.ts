import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyExample, MillraceProcess } from "./millrace-process.ts";

const CHROMIUM = "/usr/bin/chromium";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
  "--no-first-run",
];

/** What a page did besides showing itself. */
interface Traffic {
  readonly foreign: string[];
  readonly failed: string[];
  readonly complaints: string[];
}

describe("API pages in a browser", () => {
  let example: Awaited<ReturnType<typeof copyExample>>;
  let server: MillraceProcess;
  let browser: Browser;
  beforeAll(async () => {
    example = await copyExample("web-single");
    server = await MillraceProcess.start(["serve", "millrace.yaml"], { cwd: example.path });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
    await example.remove();
  });

  async function open(path: string): Promise<{ page: Page; traffic: Traffic }> {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
    const traffic: Traffic = { foreign: [], failed: [], complaints: [] };
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(`${server.url}/`) && !/^(data|blob):/.test(url))
        traffic.foreign.push(url);
    });
    page.on("requestfailed", (request) => traffic.failed.push(request.url()));
    page.on("response", (response) => {
      if (response.status() >= 400) traffic.failed.push(`${response.status()} ${response.url()}`);
    });
    page.on("console", (message) => {
      if (message.type() === "error") traffic.complaints.push(message.text());
    });
    page.on("pageerror", (error) => traffic.complaints.push(error.message));
    await page.goto(server.url + path);
    return { page, traffic };
  }

  function expectQuiet(traffic: Traffic): void {
    expect(traffic).toEqual({ foreign: [], failed: [], complaints: [] });
  }

  it("/docs shows the service with its sample, and Try it out predicts", async () => {
    const { page, traffic } = await open("/docs");
    const operation = page.locator("#operations-iris-post_predict, [id$='post_predict']").first();
    await operation.waitFor();
    await operation.locator(".opblock-summary").click();
    const body = operation.locator("textarea.body-param__text");
    await body.waitFor();
    expect(JSON.parse(await body.inputValue())).toEqual({ data: [[5.1, 3.5, 1.4, 0.2]] });
    await operation.getByRole("button", { name: "Execute" }).click();
    const live = operation.locator(".live-responses-table");
    await live.waitFor();
    expect(await live.locator(".response-col_status").last().innerText()).toContain("200");
    const reply = await live
      .locator(".response-col_description .highlight-code")
      .first()
      .innerText();
    expect(reply).toMatch(/"prediction":\s*\[\s*0\.9669/);
    expect(await live.innerText()).toContain("x-model: iris@1");
    await page.screenshot({ path: "/tmp/docs.png" });
    expectQuiet(traffic);
    await page.close();
  });

  it("/redoc shows the service with its sample", async () => {
    const { page, traffic } = await open("/redoc");
    await page.getByText("/services/iris/predict").first().waitFor();
    const text = await page.locator("body").innerText();
    expect(text).toContain("web-single");
    expect(text).toContain("/predict");
    expect(text.replaceAll(/\s+/g, "")).toContain('"data":[[5.1,3.5,1.4,0.2]]');
    await page.screenshot({ path: "/tmp/redoc.png" });
    expectQuiet(traffic);
    await page.close();
  });
});
