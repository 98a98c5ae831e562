import { isPlainObject } from "./config-tree.ts";
import type { ConfigTree, Origin } from "./config-tree.ts";
import { ENVIRONMENT } from "./key-match.ts";
import type { Environment, EnvFile } from "./overrides.ts";
import { createProblem } from "./problem.ts";
import type { ConfigProblem } from "./problem.ts";
import type { ConfigPath } from "./config-path.ts";

const THRESHOLD_PATTERN = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

const SWITCHES: Readonly<Record<string, boolean>> = {
  "0": false,
  "1": true,
  false: false,
  true: true,
};

/** Where variables come from; the process wins over the file. */
interface VariableSources {
  readonly process: Environment;
  readonly file: EnvFile;
}

/**
 * Sets the parameters that variables of the published pattern give: `ACTIVATE_<BRANCH>`, `THRESHOLD_<BRANCH>` and
 * `DEFAULT_THRESHOLD`, for every service with such a branch; names of branches in upper case, `_` for what is neither
 * letter nor digit. They stand below everything else that is written, and above the defaults. An empty variable counts
 * as not set; one that names no branch is somebody else's.
 */
export function applyParameterVariables(
  tree: ConfigTree,
  sources: VariableSources,
): readonly ConfigProblem[] {
  const variables = new Variables(sources);
  for (const service of tree.namesAt(["services"])) {
    const { all, compared } = branchesOf(service, tree);
    for (const branch of all) {
      const variable = `ACTIVATE_${ENVIRONMENT.nameForm(branch)}`;
      const at = ["services", service, "parameters", "activate", branch];
      const isActive = variables.switchOf(variable, at);
      if (isActive !== undefined) variables.setActive(tree, at, isActive, variable);
    }
    for (const branch of compared) {
      const variable = `THRESHOLD_${ENVIRONMENT.nameForm(branch)}`;
      variables.setThreshold(tree, service, branch, variable);
    }
    if (compared.size > 0) variables.setThreshold(tree, service, "default", "DEFAULT_THRESHOLD");
  }
  return variables.problems;
}

class Variables {
  readonly problems: ConfigProblem[] = [];
  readonly #sources: VariableSources;

  constructor(sources: VariableSources) {
    this.#sources = sources;
  }

  switchOf(variable: string, at: ConfigPath): boolean | undefined {
    const text = this.#textOf(variable);
    if (text === undefined) return undefined;
    const word = text.toLowerCase();
    if (Object.hasOwn(SWITCHES, word)) return SWITCHES[word];
    this.#refuse(variable, at, "0, 1, true or false");
    return undefined;
  }

  /** `activate: true` says nothing about branches; `false` switches them all. */
  setActive(tree: ConfigTree, at: ConfigPath, isActive: boolean, variable: string): void {
    const whole = tree.get(at.slice(0, -1));
    if (tree.get(at) !== undefined || whole === false) return;
    if (whole !== undefined && whole !== true && !isPlainObject(whole)) return;
    if (canHold(tree, at)) tree.set(at, isActive, this.#originOf(variable));
  }

  setThreshold(tree: ConfigTree, service: string, name: string, variable: string): void {
    const at = ["services", service, "parameters", "thresholds", name];
    const text = this.#textOf(variable);
    if (text === undefined) return;
    const threshold = THRESHOLD_PATTERN.test(text) ? Number(text) : Number.NaN;
    if (!Number.isFinite(threshold)) this.#refuse(variable, at, "a number");
    else if (tree.get(at) === undefined && canHold(tree, at.slice(0, -1)) && canHold(tree, at)) {
      tree.set(at, threshold, this.#originOf(variable));
    }
  }

  #refuse(variable: string, at: ConfigPath, allowed: string): void {
    const message = `found ${JSON.stringify(this.#textOf(variable))}, expected ${allowed}`;
    this.problems.push(createProblem(this.#originOf(variable), at, message, { allowed }));
  }

  #textOf(variable: string): string | undefined {
    const { process, file } = this.#sources;
    const text = (process[variable] ?? file.values[variable])?.trim();
    return text === "" ? undefined : text;
  }

  #originOf(variable: string): Origin {
    const { process, file } = this.#sources;
    const shown = process[variable] === undefined ? file.shown : undefined;
    return { kind: "environment", variable, file: shown };
  }
}

/** May the objects that the value is in be made? Not where something else is written there, which is wrong by itself. */
function canHold(tree: ConfigTree, at: ConfigPath): boolean {
  const parameters = tree.get(at.slice(0, 3));
  const own = tree.get(at.slice(0, -1));
  const isOpen = (value: unknown) => value === undefined || isPlainObject(value);
  return isOpen(parameters) && (isOpen(own) || own === true);
}

interface WrittenBranches {
  readonly all: ReadonlySet<string>;
  /** Those whose parallel compares scores. */
  readonly compared: ReadonlySet<string>;
}

/** Branches of the parallels a service runs, as written: what they are is not checked yet. */
function branchesOf(service: string, tree: ConfigTree): WrittenBranches {
  const all = new Set<string>();
  const compared = new Set<string>();
  const seen = new Set<string>();
  const isService = new Set(tree.namesAt(["services"]));

  const visit = (value: unknown): void => {
    if (typeof value === "string") visitService(value);
    else if (Array.isArray(value)) value.forEach(visit);
    else if (isPlainObject(value)) {
      visitParallel(value);
      Object.values(value).forEach(visit);
    }
  };
  const visitService = (name: string): void => {
    if (seen.has(name) || !isService.has(name)) return;
    seen.add(name);
    visit(tree.get(["services", name, "graph"]));
  };
  const visitParallel = ({ parallel, combine = "each" }: Record<string, unknown>): void => {
    if (!isPlainObject(parallel)) return;
    for (const branch of Object.keys(parallel)) {
      all.add(branch);
      if (combine === "each") compared.add(branch);
    }
  };
  visitService(service);
  return { all, compared };
}
