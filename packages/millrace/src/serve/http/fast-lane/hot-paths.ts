import type { HotRoute } from "../hot-routes.ts";

/** A path that a hot route takes, taken apart. */
export interface HotPath {
  /** As it was written. */
  readonly text: string;
  readonly route: HotRoute;
  /** Service named in the path; undefined is the default one. */
  readonly service: string | undefined;
  readonly version: string | undefined;
}

/** Paths remembered; names in them are the clients' own, so there may be any number. */
const KNOWN_PATHS_MAX = 1_024;

/** Longest name in a path that Fastify takes, too. */
const NAME_LENGTH_MAX = 256;

/** Finds the hot route of a path. */
export class HotPaths {
  readonly #routes: readonly { readonly route: HotRoute; readonly segments: readonly string[] }[];
  readonly #known = new Map<string, HotPath>();

  constructor(routes: readonly HotRoute[]) {
    this.#routes = routes.map((route) => ({ route, segments: route.url.split("/") }));
  }

  /** @returns undefined when no hot route takes it. */
  find(path: string): HotPath | undefined {
    return this.#known.get(path) ?? this.#remember(path);
  }

  #remember(path: string): HotPath | undefined {
    const segments = path.split("/");
    for (const { route, segments: pattern } of this.#routes) {
      if (!matches(segments, pattern)) continue;
      const named = (name: string): string | undefined => segments[pattern.indexOf(name)];
      const found = {
        text: path,
        route,
        service: named(":service") ?? named(":model"),
        version: named(":version"),
      };
      if (this.#known.size < KNOWN_PATHS_MAX) this.#known.set(path, found);
      return found;
    }
    return undefined;
  }
}

function matches(segments: readonly string[], pattern: readonly string[]): boolean {
  if (segments.length !== pattern.length) return false;
  return pattern.every((expected, i) => {
    const segment = segments[i] as string;
    if (!expected.startsWith(":")) return segment === expected;
    return segment.length > 0 && segment.length <= NAME_LENGTH_MAX;
  });
}
