import { describe, expect, test } from "vitest";
import { modelPaths, readAddress, type ModelPaths } from "./remote-address.ts";

const V2 = {
  root: "v2",
  verb: "/infer",
  versionPath: (version: string) => `/versions/${version}`,
} as const;
const V1 = { ...V2, root: "v1", verb: ":predict" } as const;

function pathsOf(url: string, form: typeof V1 | typeof V2, named: Named = {}): ModelPaths {
  const { model, version } = named;
  return modelPaths("far", readAddress("far", url), form, { model, version });
}

interface Named {
  readonly model?: string;
  readonly version?: string;
}

describe("readAddress()", () => {
  test("readAddress() takes the parts of an address apart", () => {
    expect(readAddress("far", "https://[::1]:8443/api/?key=1#x")).toEqual({
      isTls: true,
      host: "[::1]:8443",
      hostname: "::1",
      port: "8443",
      path: "/api",
      search: "?key=1",
      text: "https://[::1]:8443/api/",
    });
    expect(readAddress("far", "http://h").port).toBeUndefined();
  });

  test.each([
    ["no address", "127.0.0.1:80", "expected http://"],
    ["a file", "file:///etc/passwd", "expected http://"],
    ["a user name", "http://me:hunter22@h/", "holds a user name"],
  ])("readAddress() refuses %s", (_what, url, message) => {
    expect(() => readAddress("far", url)).toThrow(message);
    expect(() => readAddress("far", url)).not.toThrow("hunter22");
  });
});

describe("modelPaths()", () => {
  test.each([
    ["http://h:1", V2, { model: "iris" }, ["/v2", "/v2/models/iris"]],
    ["http://h:1/", V2, { model: "a b", version: "3" }, ["/v2", "/v2/models/a%20b/versions/3"]],
    ["http://h:1/seldon/v2", V2, { model: "a" }, ["/seldon/v2", "/seldon/v2/models/a"]],
    ["http://h:1/x/v2/models/iris", V2, {}, ["/x/v2", "/x/v2/models/iris"]],
    ["http://h:1/v2/models/a", V2, { version: "3" }, ["/v2", "/v2/models/a/versions/3"]],
    ["http://h:1/v2/models/a/versions/3/infer", V2, {}, ["/v2", "/v2/models/a/versions/3"]],
    ["http://h:1/v1/models/iris:predict", V1, {}, ["/v1", "/v1/models/iris"]],
  ] as const)("modelPaths() finds the model of %s", (url, form, named, [server, model]) => {
    expect(pathsOf(url, form, named)).toEqual({ server, model });
  });

  test.each([
    ["nobody", "http://h:1", {}, "nothing names the model"],
    ["both", "http://h:1/v2/models/a", { model: "b" }, "name the model"],
    ["two versions", "http://h:1/v2/models/a/versions/1", { version: "2" }, "name the version"],
  ])("modelPaths() refuses a model named by %s", (_what, url, named, message) => {
    expect(() => pathsOf(url, V2, named)).toThrow(message);
  });
});
