const PATH = "/v1/traces";

/** @returns where spans are posted: the path of the protocol is added to the address of a collector that lacks it. */
export function tracesUrl(endpoint: string): string {
  const url = new URL(endpoint);
  const path = url.pathname.replace(/\/+$/, "");
  url.pathname = path.endsWith(PATH) ? path : `${path}${PATH}`;
  return url.href;
}
