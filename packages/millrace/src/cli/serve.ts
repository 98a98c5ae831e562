import { createServeRole } from "../main.ts";
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
      return {
        ...ports,
        controlPort: undefined,
        config,
        processes: 1,
        ...role.status(),
        metrics: () => Promise.resolve(role.metrics()),
        async apply(next) {
          await role.apply(keepPorts(next.config, file.config.server, config));
          return role.status();
        },
        stop: (lameDuckMs) => role.stop(lameDuckMs),
        kill: () => undefined, // everything is in this process
      };
    }),
};
