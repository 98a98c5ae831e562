import { describe, expect, it } from "vitest";
import { HotPaths } from "./hot-paths.ts";

const URLS = [
  "/predict",
  "/services/:service/predict",
  "/v2/models/:model/infer",
  "/v2/models/:model/versions/:version/infer",
];

function find(path: string): unknown {
  const routes = URLS.map((url) => ({ url, handler: () => expect.unreachable() }));
  const found = new HotPaths(routes).find(path);
  return found && [found.route.url, found.service, found.version];
}

describe("HotPaths", () => {
  it("find() names the route, the service and the version", () => {
    expect(find("/predict")).toEqual([URLS[0], undefined, undefined]);
    expect(find("/services/iris/predict")).toEqual([URLS[1], "iris", undefined]);
    expect(find("/v2/models/iris/infer")).toEqual([URLS[2], "iris", undefined]);
    expect(find("/v2/models/iris/versions/3/infer")).toEqual([URLS[3], "iris", "3"]);
  });

  it.each([
    "/",
    "/predict/",
    "//predict",
    "/Predict",
    "/services//predict",
    "/services/a/b/predict",
    `/services/${"a".repeat(257)}/predict`,
    "/v2/models/iris/versions/infer",
    "/health",
  ])("find() knows nothing of %s", (path) => {
    expect(find(path)).toBeUndefined();
  });

  it("find() gives the same for more paths than it remembers", () => {
    const routes = URLS.map((url) => ({ url, handler: () => expect.unreachable() }));
    const paths = new HotPaths(routes);
    for (let i = 0; i < 3_000; i++) paths.find(`/services/s${i}/predict`);
    for (const i of [0, 2_999]) {
      expect(paths.find(`/services/s${i}/predict`)?.service).toBe(`s${i}`);
    }
  });
});
