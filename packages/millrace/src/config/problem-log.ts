import type { ConfigTree } from "./config-tree.ts";
import type { SchemaNode } from "./json-schema.ts";
import { createProblem, shownValue } from "./problem.ts";
import type { ConfigProblem, ProblemDetails } from "./problem.ts";
import type { ConfigPath } from "./config-path.ts";

/** Collects problems of values that stand in one tree, at most one for each path: the first one said. */
export class ProblemLog {
  readonly #tree: ConfigTree;
  readonly #root: SchemaNode;
  readonly #problems: ConfigProblem[] = [];

  constructor(tree: ConfigTree, root: SchemaNode) {
    this.#tree = tree;
    this.#root = root;
  }

  /** Those of the file from top to bottom; those without a line come first, in their order. */
  get problems(): readonly ConfigProblem[] {
    return this.#problems.toSorted(
      (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
    );
  }

  add(path: ConfigPath, message: string, details: ProblemDetails = {}): void {
    const origin = this.#tree.placeOf(path, "value");
    this.addAll([createProblem(origin, path, message, details)]);
  }

  addAll(problems: readonly ConfigProblem[]): void {
    for (const problem of problems) {
      const isKnown = this.#problems.some(({ path }) => path !== "" && path === problem.path);
      if (!isKnown) this.#problems.push(problem);
    }
  }

  /** The value at `path` as a message may show it. */
  show(path: ConfigPath): string {
    return shownValue(this.#root, this.#tree, path);
  }
}
