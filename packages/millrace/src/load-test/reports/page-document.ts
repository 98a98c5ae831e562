import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { escapeHtml } from "../../core/escape-html.ts";
import type { PageChart } from "./page-chart.ts";
import { PAGE_SCRIPT } from "./page-script.ts";
import { PAGE_STYLE } from "./page-style.ts";

export interface PageContent {
  readonly title: string;
  /** HTML of what stands in `main`. */
  readonly body: string;
  readonly charts: readonly PageChart[];
}

/**
 * A page that needs nothing else: no fonts, no network. Its policy lets two scripts run, by their hashes, and nothing
 * besides, whatever a text in it may be.
 */
export async function pageDocument({ title, body, charts }: PageContent): Promise<string> {
  const [plotScript, plotStyle] = await Promise.all([
    readPart("uplot/dist/uPlot.iife.min.js"),
    readPart("uplot/dist/uPlot.min.css"),
  ]);
  const scripts = [plotScript, PAGE_SCRIPT];
  const hashes = scripts.map((text) => `'sha256-${sha256(text)}'`).join(" ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src ${hashes}; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${plotStyle}${PAGE_STYLE}</style>
</head>
<body>
<main>
${body}
</main>
<script type="application/json" id="charts">${scriptJson(charts)}</script>
${scripts.map((text) => `<script>${text}</script>`).join("\n")}
</body>
</html>
`;
}

async function readPart(specifier: string): Promise<string> {
  return readFile(fileURLToPath(import.meta.resolve(specifier)), "utf8");
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

/** No text in it can end the element that it stands in. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}
