import type { ConfigTree } from "./config-tree.ts";
import type { SchemaNode } from "./json-schema.ts";
import { createProblem, shownValue } from "./problem.ts";
import type { ConfigProblem, ProblemDetails } from "./problem.ts";
import { pathText } from "./schema-node.ts";
import type { ConfigPath } from "./schema-node.ts";

/** Collects problems of values that stand in one tree, at most one for each path: the first one said. */
export class ProblemLog {
  readonly #tree: ConfigTree;
  readonly #root: SchemaNode;
  readonly #problems: ConfigProblem[] = [];

  constructor(tree: ConfigTree, root: SchemaNode, problems: readonly ConfigProblem[] = []) {
    this.#tree = tree;
    this.#root = root;
    this.#problems.push(...problems);
  }

  get problems(): readonly ConfigProblem[] {
    return this.#problems;
  }

  add(path: ConfigPath, message: string, details: ProblemDetails = {}): void {
    const text = pathText(path);
    if (this.#problems.some((problem) => problem.path === text && text !== "")) return;
    const origin = this.#tree.placeOf(path, details.part ?? "value");
    this.#problems.push(createProblem(origin, path, message, details));
  }

  /** The value at `path` as a message may show it. */
  show(path: ConfigPath): string {
    return shownValue(this.#root, this.#tree, path);
  }
}
