import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { FastifyInstance, FastifyReply } from "fastify";
import { MillraceError } from "../../core/errors.ts";
import type { DataPlane } from "../data-plane.ts";
import { openApiDocument } from "./openapi.ts";

/** Files of the two readers, which come with the package: the pages work without a network. */
const ASSETS: Readonly<Record<string, readonly [specifier: string, contentType: string]>> = {
  "swagger-ui.css": ["swagger-ui-dist/swagger-ui.css", "text/css; charset=utf-8"],
  "swagger-ui-bundle.js": [
    "swagger-ui-dist/swagger-ui-bundle.js",
    "text/javascript; charset=utf-8",
  ],
  "favicon.png": ["swagger-ui-dist/favicon-32x32.png", "image/png"],
  "redoc.js": ["redoc/bundles/redoc.standalone.js", "text/javascript; charset=utf-8"],
};

/** Nothing from elsewhere is loaded, whatever a reader's code would like to. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
  "img-src 'self' data:; worker-src 'self' blob:; connect-src 'self'; frame-ancestors 'none'";

/** The API description and two pages that show it. */
export function addDocsRoutes(app: FastifyInstance, plane: DataPlane, title: string): void {
  const open = { config: { scope: "none" } } as const;
  const read = { config: { scope: "read" } } as const;
  app.get("/openapi.json", read, async () => openApiDocument(plane, title));
  app.get("/docs", open, async (_request, reply) => page(reply, swaggerPage(title)));
  app.get("/redoc", open, async (_request, reply) => page(reply, redocPage(title)));
  app.get("/docs/assets/:file", open, async (request, reply) => {
    const { file } = request.params as { file: string };
    const generated = Object.hasOwn(SCRIPTS, file) ? SCRIPTS[file] : undefined;
    const asset = Object.hasOwn(ASSETS, file) ? ASSETS[file] : undefined;
    if (generated !== undefined) {
      void reply.header("content-type", "text/javascript; charset=utf-8");
      return generated;
    }
    if (asset === undefined) {
      throw new MillraceError(
        "ROUTE_NOT_FOUND",
        "Cannot find this file: /docs and /redoc name theirs",
      );
    }
    const [specifier, contentType] = asset;
    void reply.header("content-type", contentType).header("cache-control", "max-age=3600");
    const bytes = await readFile(fileURLToPath(import.meta.resolve(specifier)));
    return file === "redoc.js" ? bytes.toString().replace(REDOC_LOGO, NO_IMAGE) : bytes;
  });
}

/** Redoc shows its maker's logo from the network, which the policy refuses and the console then complains about. */
const REDOC_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg";
const NO_IMAGE = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E";

/** Start-up code of the pages; apart from them, so that the policy needs no inline scripts. */
const SCRIPTS: Readonly<Record<string, string>> = {
  "docs.js": `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#page", deepLinking: true, tryItOutEnabled: true });\n`,
  "redoc-page.js": `Redoc.init("/openapi.json", { jsonSamplesExpandLevel: "all" }, document.getElementById("page"));\n`,
};

function page(reply: FastifyReply, html: string): string {
  void reply
    .header("content-type", "text/html; charset=utf-8")
    .header("content-security-policy", CONTENT_SECURITY_POLICY)
    .header("x-content-type-options", "nosniff");
  return html;
}

function swaggerPage(title: string): string {
  return htmlPage(title, '<link rel="stylesheet" href="/docs/assets/swagger-ui.css" />', [
    "/docs/assets/swagger-ui-bundle.js",
    "/docs/assets/docs.js",
  ]);
}

function redocPage(title: string): string {
  return htmlPage(title, "<style>body { margin: 0 }</style>", [
    "/docs/assets/redoc.js",
    "/docs/assets/redoc-page.js",
  ]);
}

function htmlPage(title: string, head: string, scripts: readonly string[]): string {
  const tags = scripts.map((src) => `<script src="${src}"></script>`).join("\n    ");
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${escapeHtml(title)}</title>
    <link rel="icon" href="/docs/assets/favicon.png" />
    ${head}
  </head>
  <body>
    <div id="page"></div>
    ${tags}
  </body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
