import type { LoadTarget } from "../load-test/payloads/load-target.ts";
import type { LoadedService } from "./load-service.ts";
import type { Header } from "./read-headers.ts";
import type { BodyForm } from "./service-body.ts";

/** Where a service takes requests, and with which headers. @param type of the body. */
export function requestTo(
  service: LoadedService,
  form: BodyForm,
  type = "application/json",
): Pick<LoadTarget, "method" | "url" | "headers"> {
  const name = encodeURIComponent(service.name);
  const url =
    form === "infer"
      ? new URL(`/v2/models/${name}/infer`, service.grpcUrl)
      : new URL(`/services/${name}/predict`, service.url);
  return { method: "POST", url: url.href, headers: withType(service.headers, type) };
}

/** The type that was given goes before. */
export function withType(headers: readonly Header[], type: string | undefined): readonly Header[] {
  const isNamed = headers.some(([name]) => name.toLowerCase() === "content-type");
  return isNamed || type === undefined ? headers : [...headers, ["content-type", type]];
}
