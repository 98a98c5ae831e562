import os from "node:os";
import type { LoadEnvironment } from "../core/load/load-report.ts";
import { MILLRACE_VERSION } from "../version.ts";

/** Of this machine, now. */
export function readEnvironment(): LoadEnvironment {
  const cpus = os.cpus();
  return {
    millrace: MILLRACE_VERSION,
    node: process.version,
    os: `${os.type()} ${os.release()} ${os.arch()}`,
    cpu: cpus[0]?.model.trim() ?? "",
    cores: os.availableParallelism(),
    memory_mib: Math.round(os.totalmem() / 2 ** 20),
    load_average: Math.round((os.loadavg()[0] ?? 0) * 100) / 100,
  };
}
