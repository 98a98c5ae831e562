import type { Config, ServerConfig } from "../config/config.ts";
import type { LoadedConfig } from "../config/print.ts";
import { fileAlone, type Layers } from "./layers.ts";
import { keepPorts } from "./ports.ts";
import type { ConfigOrder } from "./serve-process.ts";

/** What the processes will have. */
export interface NextConfig {
  readonly layers: Layers;
  readonly order: ConfigOrder;
}

/** What every process has, or is told at its next start: the file with the overrides, on the ports that were taken. */
export class RunningConfig {
  readonly #checkApplicable: (current: Config, next: Config) => void;
  /** As the file had it at the start. */
  readonly #asked: ServerConfig;
  #layers: Layers;
  #config: Config;

  /**
   * @param config what `file` says, on ports that are free.
   * @param checkApplicable throws when a change needs a restart.
   */
  constructor(
    file: LoadedConfig,
    config: Config,
    checkApplicable: (current: Config, next: Config) => void,
  ) {
    this.#checkApplicable = checkApplicable;
    this.#asked = file.config.server;
    this.#layers = fileAlone(file);
    this.#config = config;
  }

  get layers(): Layers {
    return this.#layers;
  }

  get config(): Config {
    return this.#config;
  }

  get order(): ConfigOrder {
    return orderOf(this.#config, this.#layers);
  }

  /** Ports that were taken now. */
  takePorts(ports: Partial<Pick<ServerConfig, "httpPort" | "grpcPort" | "controlPort">>): void {
    this.#config = { ...this.#config, server: { ...this.#config.server, ...ports } };
  }

  /** @throws StartError when the change needs a restart. */
  next(layers: Layers): NextConfig {
    const config = keepPorts(layers.config, this.#asked, this.#config);
    this.#checkApplicable(this.#config, config);
    return { layers, order: orderOf(config, layers) };
  }

  become({ layers, order }: NextConfig): void {
    this.#layers = layers;
    this.#config = order.config;
  }
}

function orderOf(config: Config, { overrides }: Layers): ConfigOrder {
  return { config, overrideVersion: overrides.version };
}
