import { TRACE_STEPS_MAX } from "../core/graph/step-trace.ts";
import type {
  ParallelConfig,
  SequenceConfig,
  SequenceMemberConfig,
  StepConfig,
  SwitchCaseConfig,
  SwitchConfig,
} from "./config.ts";
import type { ConfigTree } from "./config-tree.ts";
import { nameBeside, unnamedStep } from "./name-steps.ts";
import type { ProblemLog } from "./problem-log.ts";
import { reportUnknownName } from "./unknown-name.ts";
import { resolveCondition } from "./resolve-condition.ts";
import { resolveCodeFile, resolveWorkStep } from "./resolve-work-step.ts";
import { pathText } from "./schema-node.ts";
import type { ConfigPath } from "./config-path.ts";
import type {
  WrittenMember,
  WrittenParallel,
  WrittenSequence,
  WrittenStep,
  WrittenSwitch,
} from "./schema-step.ts";
import type { ConfigOutput } from "./schema.ts";

/** Levels of steps in steps, those of services that are steps counted in; 1 is a graph that is one step. */
const STEP_DEPTH_MAX = 8;

/** Name of what a sequence takes, in its `map`. */
const SEQUENCE_INPUT = "input";

/** Name of the case of a switch that is taken when no other is. */
const DEFAULT_CASE = "default";

/** What all graphs are resolved from. */
export interface GraphContext {
  readonly services: ConfigOutput["services"];
  readonly models: ReadonlySet<string>;
  /** Folder that relative paths start from. */
  readonly folder: string;
  readonly tree: ConfigTree;
  readonly log: ProblemLog;
}

/**
 * What a service does with a request: names become models, or the steps of the service that has the name; paths become
 * absolute. Undefined when something in it is wrong, which is reported then, here or with the service it is written in.
 */
export async function resolveGraph(
  service: string,
  context: GraphContext,
): Promise<StepConfig | undefined> {
  return await new GraphResolver(service, context).resolve();
}

/**
 * A step that is written where a name could stand, as the graph of a service of its own.
 * @param service name of that service.
 */
export async function resolvePlacedStep(
  service: string,
  { step, at }: { readonly step: WrittenStep; readonly at: ConfigPath },
  context: GraphContext,
): Promise<StepConfig | undefined> {
  return await new GraphResolver(service, context).resolveStep(step, at);
}

/** Where a step stands among the others. */
interface StepPlace {
  readonly at: ConfigPath;
  /** Undefined where nothing stands beside it, so that it is called by what it runs. */
  readonly name: string | undefined;
  readonly depth: number;
  /** Services whose graphs it is in, outermost first, each with the place where the one before names it. */
  readonly trail: readonly { readonly service: string; readonly at: ConfigPath }[];
}

class GraphResolver {
  readonly #service: string;
  readonly #context: GraphContext;
  #stepCount = 0;

  constructor(service: string, context: GraphContext) {
    this.#service = service;
    this.#context = context;
  }

  async resolve(): Promise<StepConfig | undefined> {
    const { services, models, tree } = this.#context;
    const service = this.#service;
    const at = ["services", service, "graph"];
    const graph = services[service]?.graph;
    if (models.has(service)) {
      if (graph === undefined || graph === service) {
        return { kind: "model", name: service, at, model: service };
      }
      this.#reportClash(at);
      return undefined;
    }
    if (graph === undefined) {
      // What is written and left out is wrong by itself, and that has been said.
      if (tree.get(at) === undefined) this.#reportUnknown(undefined, at);
      return undefined;
    }
    return await this.#step(graph, { at, name: undefined, depth: 1, trail: [{ service, at }] });
  }

  async resolveStep(written: WrittenStep, at: ConfigPath): Promise<StepConfig | undefined> {
    return await this.#step(written, { at, name: undefined, depth: 1, trail: [] });
  }

  async #step(written: WrittenStep, place: StepPlace): Promise<StepConfig | undefined> {
    this.#stepCount++;
    if (this.#stepCount > TRACE_STEPS_MAX) {
      const message = `leads to more than ${TRACE_STEPS_MAX} steps, expected at most that`;
      this.#context.log.add(["services", this.#service, "graph"], message);
      return undefined;
    }
    if (typeof written === "string") return await this.#named(written, place);
    if (place.depth > STEP_DEPTH_MAX) {
      const message = `steps are nested too deeply, expected at most ${STEP_DEPTH_MAX} levels`;
      this.#context.log.add(["services", this.#service, "graph"], message);
      return undefined;
    }
    const name = place.name ?? written.name ?? this.#service;
    if ("sequence" in written) return await this.#sequence(written, { ...place, name });
    if ("parallel" in written) return await this.#parallel(written, { ...place, name });
    if ("switch" in written) return await this.#switch(written, { ...place, name });
    return await resolveWorkStep(written, { name, at: place.at }, this.#context);
  }

  async #named(written: string, place: StepPlace): Promise<StepConfig | undefined> {
    const { services, models } = this.#context;
    const { at, name, trail } = place;
    if (models.has(written)) return { kind: "model", name: name ?? written, at, model: written };
    const service = services[written];
    if (service === undefined || !Object.hasOwn(services, written)) {
      this.#reportUnknown(written, at);
      return undefined;
    }
    const first = trail.findIndex((one) => one.service === written);
    if (first !== -1) {
      this.#reportCycle([...trail.slice(first), { service: written, at }]);
      return undefined;
    }
    // It has no graph where that is wrong, which is reported there.
    if (service.graph === undefined) return undefined;
    return await this.#step(service.graph, {
      ...place,
      at: ["services", written, "graph"],
      trail: [...trail, { service: written, at }],
    });
  }

  async #sequence(
    written: WrittenSequence,
    place: StepPlace & { readonly name: string },
  ): Promise<SequenceConfig | undefined> {
    const { name, at } = place;
    const places = written.sequence.map((member, index) => memberPlace(member, index, at));
    const unnamed = places.map((one) => unnamedStep(one.step, one.at));
    const names = nameBeside(unnamed, SEQUENCE_INPUT, this.#context.log);
    const members: SequenceMemberConfig[] = [];
    for (const [index, member] of places.entries()) {
      const inside = { ...place, depth: place.depth + 1 };
      const own = { ...inside, at: member.at, name: names[index] };
      const step = await this.#step(member.step, own);
      const onError = member.onError ?? written.onError ?? "fail";
      const isOwn = member.onError !== undefined;
      const instead =
        onError === "fail" || onError === "skip"
          ? onError
          : await this.#step(onError, {
              ...inside,
              at: [...(isOwn ? member.outerAt : at), "onError"],
              name: calledAlone(onError),
            });
      if (step !== undefined && instead !== undefined) members.push({ step, onError: instead });
    }
    if (members.length < places.length) return undefined;
    const { map, versions } = written;
    return { kind: "sequence", name, at, members, map, versions };
  }

  async #parallel(
    written: WrittenParallel,
    place: StepPlace & { readonly name: string },
  ): Promise<ParallelConfig | undefined> {
    const { log } = this.#context;
    const { name, at } = place;
    const entries = Object.entries(written.parallel);
    const branches: StepConfig[] = [];
    for (const [branch, step] of entries) {
      const own = [...at, "parallel", branch];
      if (branch === DEFAULT_CASE) {
        log.add(own, `"${branch}" is no name of a branch: thresholds.default is for all of them`);
      }
      if (typeof step !== "string" && step.name !== undefined) {
        log.add([...own, "name"], `found a name, expected none: the branch is called "${branch}"`);
      }
      const inside = { ...place, at: own, name: branch, depth: place.depth + 1 };
      const resolved = await this.#step(step, inside);
      if (resolved !== undefined) branches.push(resolved);
    }
    const combine = await this.#combine(written.combine, at);
    if (branches.length < entries.length) return undefined;
    const { onError, timeout: timeoutMs } = written;
    return { kind: "parallel", name, at, branches, combine, onError, timeoutMs };
  }

  async #combine(written: string, at: ConfigPath): Promise<ParallelConfig["combine"]> {
    switch (written) {
      case "each":
      case "argmax":
      case "mean":
      case "vote":
        return written;
      default:
        return { path: await resolveCodeFile(written, [...at, "combine"], this.#context) };
    }
  }

  async #switch(
    written: WrittenSwitch,
    place: StepPlace & { readonly name: string },
  ): Promise<SwitchConfig | undefined> {
    const { name, at } = place;
    const inside = { ...place, depth: place.depth + 1 };
    const unnamed = written.switch.map((one, index) => {
      const { chosen, plain } = unnamedStep(one.to, at);
      return { chosen: one.name, plain: chosen ?? plain, at: [...at, "switch", index] };
    });
    const names = nameBeside(unnamed, DEFAULT_CASE, this.#context.log);
    const cases: SwitchCaseConfig[] = [];
    for (const [index, { when, to }] of written.switch.entries()) {
      const own = [...at, "switch", index, "to"];
      const step = await this.#step(to, { ...inside, at: own, name: calledAlone(to) });
      const caseName = names[index] ?? "";
      // Shares of different cases are drawn apart, unless they name the same salt.
      const condition = resolveCondition(when, `${pathText(at)}.${caseName}`);
      if (step !== undefined) cases.push({ name: caseName, when: condition, to: step });
    }
    const otherwise = { ...inside, at: [...at, "default"], name: calledAlone(written.default) };
    const standard = await this.#step(written.default, otherwise);
    if (standard === undefined || cases.length < written.switch.length) return undefined;
    return { kind: "switch", name, at, cases, default: standard };
  }

  #reportUnknown(written: string | undefined, at: ConfigPath): void {
    const { models, services, log } = this.#context;
    const known = [...models, ...Object.keys(services)];
    const words = at.at(-1) === "onError" ? ["fail", "skip"] : [];
    reportUnknownName({ service: String(at[1]), at, written, known, words }, log);
  }

  /** A name leads to one thing only: a service named like a model runs that model. */
  #reportClash(at: ConfigPath): void {
    const { log } = this.#context;
    const message = `name clash: "${this.#service}" is also a model, so its service can only run that one; found ${log.show(at)}`;
    log.add(at, message, { allowed: this.#service });
  }

  /** Reports a cycle once, at the member that comes first by name, and not the services that lead to it. */
  #reportCycle(cycle: StepPlace["trail"]): void {
    const [first, second] = cycle;
    const names = cycle.map(({ service }) => service);
    if (first?.service !== this.#service || this.#service !== names.toSorted()[0]) return;
    const message = `services run each other in a cycle: ${names.join(" -> ")}`;
    this.#context.log.add(second?.at ?? first.at, message);
  }
}

interface MemberPlace {
  readonly step: WrittenStep;
  readonly at: ConfigPath;
  readonly onError: WrittenStep | undefined;
  /** Of the object with the step and its `onError`. */
  readonly outerAt: ConfigPath;
}

function memberPlace(member: WrittenMember, index: number, at: ConfigPath): MemberPlace {
  const outerAt = [...at, "sequence", index];
  if (typeof member === "string" || !("step" in member)) {
    return { step: member, at: outerAt, onError: undefined, outerAt };
  }
  return { step: member.step, at: [...outerAt, "step"], onError: member.onError, outerAt };
}

/** Of a step that runs where no other one runs beside it. */
function calledAlone(step: WrittenStep): string {
  const { chosen, plain } = unnamedStep(step, []);
  return chosen ?? plain;
}
