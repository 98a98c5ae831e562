import { availableParallelism } from "node:os";
import { sizingWarnings } from "../config/sizing-warnings.ts";
import { createProblem, renderProblem } from "../config/problem.ts";
import type { GraphStatus } from "../graphs/service-graphs.ts";
import { createServeRole, processCountOf } from "../main.ts";
import type { ModelStatus } from "../models/served-model.ts";
import type { Command } from "./command.ts";
import { CONFIG_OPTION, loadFor } from "./config-session.ts";
import { SILENT } from "./silent-logger.ts";

export const check: Command = {
  summary: "validate the file, load every model and fit the steps together, without opening a port",
  usage: "check [file | model.onnx …] [--json]",
  options: { ...CONFIG_OPTION, json: "prints the models and graphs with their state as JSON" },
  examples: ["check", "check examples/web-single/millrace.yaml"],
  async run(line, io) {
    const loaded = await loadFor(line, io);
    if (loaded === undefined) return 2;
    const machine = {
      coreCount: availableParallelism(),
      processCount: processCountOf(loaded.config),
    };
    for (const warning of [...loaded.warnings, ...sizingWarnings(loaded, machine)])
      io.stderr.write(`${warning.location}: ${warning.message}\n`);
    for (const missing of loaded.missingSources) {
      io.stderr.write(
        `${missing.location}: model ${missing.model}: there is no file ${missing.path}\n`,
      );
    }
    if (loaded.missingSources.length > 0) return 2;
    const role = await createServeRole({ ...loaded.config, stateDir: undefined }, () => SILENT);
    await role.loadModels();
    const { models, graphs } = role.status();
    const problems = role.graphs
      .problems()
      .map(({ at, message }) => createProblem(loaded.tree.placeOf(at, "value"), at, message));
    for (const message of role.unmatchedNames()) io.stderr.write(`${message}\n`);
    await role.stop(0);
    if (line.options.has("json")) {
      io.stdout.write(`${JSON.stringify({ models, graphs, problems })}\n`);
    } else {
      for (const status of models) io.stdout.write(`${describe(status)}\n`);
      for (const status of graphs) io.stdout.write(`${describeGraph(status)}\n`);
      for (const problem of problems) io.stderr.write(`${renderProblem(problem)}\n`);
    }
    const isSound = [...models, ...graphs].every(({ problem }) => problem === undefined);
    return isSound ? 0 : 1;
  },
};

/** Problems of its edges stand below, each with its place in the file. */
function describeGraph({ service, isReady, problem }: GraphStatus): string {
  if (problem === undefined) return `service ${service}: its steps fit together`;
  return `service ${service}: ${isReady ? "FITS IN PART" : "FAILS"}: ${problem}`;
}

function describe({ name, isReady, problem, fallbackReason }: ModelStatus): string {
  if (fallbackReason !== undefined) return `${name}: FALLBACK: ${fallbackReason}`;
  if (!isReady) return `${name}: FAILS: ${problem ?? "not loaded"}`;
  return problem === undefined ? `${name}: loads` : `${name}: loads in part: ${problem}`;
}
