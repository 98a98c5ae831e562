/** How to call a server that listens on `host`: `0.0.0.0` is an address to listen on, not one to call. */
export function hostInUrl(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}
