import { MillraceError } from "../../core/errors.ts";

/** What answers for a path that no route took. */
export interface Miss {
  readonly problem: MillraceError;
  /** Value of the `allow` header when only the method was wrong. */
  readonly allow: string | undefined;
}

/** Remembers every route, to tell an unknown path from a known one with the wrong method. */
export class RouteTable {
  readonly #methods = new Map<string, { pattern: RegExp; methods: Set<string> }>();

  add(methods: string | readonly string[], url: string): void {
    let route = this.#methods.get(url);
    if (route === undefined) {
      const source = url
        .replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`)
        .replaceAll(/:\w+/g, "[^/]+")
        .replaceAll("*", ".*");
      route = { pattern: new RegExp(`^${source}$`), methods: new Set() };
      this.#methods.set(url, route);
    }
    for (const method of [methods].flat()) route.methods.add(method);
  }

  explainMiss(method: string, url: string): Miss {
    const path = url.split("?", 1)[0] ?? url;
    const allowed = new Set<string>();
    for (const route of this.#methods.values()) {
      if (route.pattern.test(path)) for (const known of route.methods) allowed.add(known);
    }
    const shown = path.length > 100 ? `${path.slice(0, 100)}…` : path;
    if (allowed.size === 0) {
      const message = `Cannot find the route ${method} ${shown}: GET /docs lists all routes`;
      return { problem: new MillraceError("ROUTE_NOT_FOUND", message), allow: undefined };
    }
    const allow = [...allowed].join(", ");
    const message = `Cannot ${method} ${shown}: it takes ${allow}`;
    return { problem: new MillraceError("METHOD_NOT_ALLOWED", message), allow };
  }
}
