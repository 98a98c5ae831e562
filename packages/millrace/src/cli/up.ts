import { createSupervisor, processCountOf, readOverrides } from "../main.ts";
import type { Command } from "./command.ts";
import { CONFIG_OPTION } from "./config-session.ts";
import { runInForeground } from "./foreground.ts";

export const up: Command = {
  summary: "run everything in the file, supervised: crashed processes start again",
  usage: "up [file] [--json] [--key value]",
  options: { ...CONFIG_OPTION, json: "prints the addresses and models as one line of JSON" },
  examples: ["up", "up examples/web-single", "up millrace.yaml --server.processes 4"],
  run: (line, io) =>
    runInForeground(line, io, async (config, logging, file) => {
      if (config.server.controlPort === "off") {
        const kept = (await readOverrides(config.stateDir))?.overrides.length ?? 0;
        if (kept > 0) {
          const message = `${kept} overrides are not in force: server.controlPort is off`;
          logging.loggerFor("millrace").warn({ overrides: kept }, message);
        }
      }
      const supervisor = createSupervisor(file, config, logging);
      const started = await supervisor.start();
      return {
        ...started,
        processes: processCountOf(config),
        metrics: () => supervisor.metrics(),
        apply: (next) => supervisor.apply(next),
        stop: (lameDuckMs) => supervisor.stop(lameDuckMs),
        kill: () => supervisor.kill(),
      };
    }),
};
