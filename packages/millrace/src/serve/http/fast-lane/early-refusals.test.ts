import { expect, test } from "vitest";
import type { HotRoute } from "../hot-routes.ts";
import { EarlyRefusals } from "./early-refusals.ts";
import type { HotPath } from "./hot-paths.ts";

function setUp(reason: string | undefined, isRefusable = true) {
  const counted: string[] = [];
  const plane = {
    refuseEarly: () => reason,
    isRefusable: () => isRefusable,
    countRefusal: (name: string | undefined, why: string) =>
      void counted.push(`${name ?? ""} ${why}`),
  };
  const silent = (): void => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  return { refusals: new EarlyRefusals(plane, log), counted };
}

const predict: HotRoute = { url: "/services/:service/predict", handler: () => expect.fail() };
const infer: HotRoute = { url: "/v2/models/:model/infer", handler: () => expect.fail() };

function pathOf(route: HotRoute, service = "iris"): HotPath {
  return { text: route.url, route, service, version: undefined };
}

test.each(["concurrency", "queue", "rate", "predicted_deadline", "another"])(
  "admit() answers a refusal by %s in the form of the route",
  (reason) => {
    const { refusals, counted } = setUp(reason);
    const problem = refusals.admit(pathOf(predict));
    expect(problem?.status).toBe(503);
    const headers = Object.fromEntries(problem?.headers ?? []);
    expect(headers).toEqual({
      "content-type": "application/problem+json",
      "x-error-code": "OVERLOADED",
      "x-envoy-overloaded": "true",
      "retry-after": "1",
    });
    const body = JSON.parse(String(problem?.body)) as Record<string, unknown>;
    expect(body).toMatchObject({ status: 503, code: "OVERLOADED", reason, errors: [] });
    expect(body["detail"]).toMatch(/^Cannot predict: \w/);
    expect(body).not.toHaveProperty("request_id");
    const protocol = refusals.admit(pathOf(infer));
    expect(JSON.parse(String(protocol?.body))).toEqual({ error: body["detail"] });
    expect(counted).toEqual([]); // the plane has counted
  },
);

test("admit() gives the same object each time, whatever service is named", () => {
  const { refusals } = setUp("queue");
  expect(refusals.admit(pathOf(predict, "b"))).toBe(refusals.admit(pathOf(predict, "a")));
});

test("admit() lets pass what the plane does not refuse", () => {
  expect(setUp(undefined).refusals.admit(pathOf(predict))).toBeUndefined();
});

test("shed() counts a refusal for want of concurrency", () => {
  const { refusals, counted } = setUp(undefined);
  expect(String(refusals.shed(pathOf(predict))?.body)).toContain('"reason":"concurrency"');
  expect(counted).toEqual(["iris concurrency"]);
});

test("shed() lets pass what answers overloads in another way", () => {
  const { refusals, counted } = setUp(undefined, false);
  expect(refusals.shed(pathOf(predict))).toBeUndefined();
  expect(counted).toEqual([]);
});
