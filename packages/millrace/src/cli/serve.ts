import { createLogKeeper, createServeRole } from "../main.ts";
import { keepPorts } from "../supervisor/ports.ts";
import type { Command } from "./command.ts";
import { CONFIG_OPTION } from "./config-session.ts";
import { runInForeground } from "./foreground.ts";
import { warnOfIdleOverrides } from "./idle-overrides.ts";

export const serve: Command = {
  summary: "serve models in this process, from a file or straight from .onnx files",
  usage: "serve [file | model.onnx …] [--json] [--key value]",
  options: { ...CONFIG_OPTION, json: "prints the addresses and models as one line of JSON" },
  examples: ["serve iris.onnx", "serve iris.onnx --port 9000", "serve millrace.yaml"],
  run: (line, io) =>
    runInForeground(line, io, async (config, logging, file) => {
      await warnOfIdleOverrides(config, logging, "this is no millrace up");
      const role = await createServeRole(config, logging.loggerFor);
      const ports = await role.listen({ isShared: false, repository: undefined });
      await role.loadModels();
      const logKeeper = createLogKeeper(logging);
      logKeeper.apply(config);
      return {
        ...ports,
        controlPort: undefined,
        config,
        processes: 1,
        ...role.status(),
        metrics: async () => [...role.metrics(), ...(await logKeeper.metrics())],
        async apply(next) {
          const applied = keepPorts(next.config, file.config.server, config);
          await role.apply(applied);
          logKeeper.apply(applied);
          return role.status();
        },
        stop: (lameDuckMs) => Promise.all([role.stop(lameDuckMs), logKeeper.stop()]),
        kill: () => logKeeper.process?.kill(),
      };
    }),
};
