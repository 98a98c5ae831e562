import type { Config } from "./config.ts";
import type { ConfigTree } from "./config-tree.ts";
import type { ConfigWarning } from "./config-warning.ts";
import { originText } from "./problem.ts";

/** Services and branches that do not predict: somebody may have switched them off long ago, in some environment. */
export function switchedOffWarnings(config: Config, tree: ConfigTree): readonly ConfigWarning[] {
  return Object.values(config.services).flatMap(({ name, parameters }) => {
    const at = ["services", name, "parameters", "activate"];
    if (!parameters.isActive) {
      const location = originText(tree.originOf(at));
      return [{ message: `service "${name}" is switched off`, location }];
    }
    const off = Object.keys(parameters.branches).filter((branch) => !parameters.branches[branch]);
    return off.map((branch) => ({
      message: `branch "${branch}" of service "${name}" is switched off`,
      location: originText(tree.originOf([...at, branch])),
    }));
  });
}
