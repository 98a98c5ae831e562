import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../machine.ts";
import { onCore, runProcess } from "./run-process.ts";
import type { ServerCommand } from "./server-process.ts";

const VENV = join(ROOT, "node_modules/.cache/bench-venv");
const PYTHON = join(VENV, "bin/python");
const REQUIREMENTS = join(import.meta.dirname, "requirements.txt");
const INSTALL_MS_MAX = 600_000;
const PACKAGES = ["fastapi", "uvicorn", "httptools", "uvloop", "pydantic", "onnxruntime", "numpy"];

/** Creates the Python environment, unless it is there already for the same requirements. */
export async function installFastApi(): Promise<void> {
  const wanted = createHash("sha256").update(readFileSync(REQUIREMENTS)).digest("hex");
  const stamp = join(VENV, "requirements.sha256");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  process.stderr.write("Installing FastAPI for the comparison, once…\n");
  rmSync(VENV, { recursive: true, force: true });
  await runProcess(["python3", "-m", "venv", VENV], INSTALL_MS_MAX);
  await runProcess([PYTHON, "-m", "pip", "install", "-q", "-r", REQUIREMENTS], INSTALL_MS_MAX);
  writeFileSync(stamp, wanted);
}

/** @returns versions of Python and of what matters in its environment. */
export async function fastApiVersions(): Promise<Readonly<Record<string, string>>> {
  const script =
    "import sys, json, platform, importlib.metadata as m; " +
    "print(json.dumps({'python': platform.python_version(), **{p: m.version(p) for p in sys.argv[1:]}}))";
  const output = await runProcess([PYTHON, "-c", script, ...PACKAGES], 60_000);
  return JSON.parse(output) as Record<string, string>;
}

export function fastApi(core: number): ServerCommand {
  const uvicorn = `-m uvicorn --app-dir ${import.meta.dirname} fastapi_app:app`;
  const best = "--host 127.0.0.1 --port 0 --workers 1 --http httptools --loop uvloop";
  // Neither server writes an access log or closes the idle connections of the open loop.
  const equal = "--no-access-log --timeout-keep-alive 72";
  return {
    command: onCore(core, [PYTHON, ...`${uvicorn} ${best} ${equal}`.split(" ")]),
    portIn(output) {
      const [, port] = /running on http:\/\/127\.0\.0\.1:(\d+)/.exec(output) ?? [];
      return port === undefined ? undefined : Number(port);
    },
  };
}
