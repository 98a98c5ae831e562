// What the tests need besides npm packages, installed where it can be: on Debian as root. Elsewhere it says what to do.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { makeTestVenv } from "./test-venv.ts";

const PARTS = [
  { name: "Chromium", isThere: () => existsSync("/usr/bin/chromium"), debian: ["chromium"] },
  { name: "curl", isThere: () => existsSync("/usr/bin/curl"), debian: ["curl"] },
  { name: "ps", isThere: () => existsSync("/usr/bin/ps"), debian: ["procps"] },
  { name: "openssl", isThere: () => existsSync("/usr/bin/openssl"), debian: ["openssl"] },
  {
    name: "redis-server",
    isThere: () => spawnSync("redis-server", ["--version"], { stdio: "ignore" }).status === 0,
    debian: ["redis-server"],
  },
  {
    name: "Python 3.11 or newer with venv",
    isThere: () => isPythonReady(),
    debian: ["python3", "python3-venv"],
  },
];

/** Debian has Python without ensurepip, and then it cannot make a virtual environment. */
function isPythonReady() {
  const check = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
  return spawnSync("python3", ["-c", check], { stdio: "ignore" }).status === 0;
}

const missing = PARTS.filter((part) => !part.isThere());
if (missing.length > 0) {
  const packages = missing.flatMap((part) => part.debian);
  const isRootOnDebian = process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
  if (!isRootOnDebian) {
    console.error(`The tests need ${missing.map((part) => part.name).join(", ")}.`);
    console.error(`Install: sudo apt-get install ${packages.join(" ")}`);
    process.exit(1);
  }
  const options = { stdio: "inherit", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  const apt = (...args) => spawnSync("apt-get", ["-q", ...args], options).status === 0;
  const isInstalled = apt("update") && apt("install", "-y", "--no-install-recommends", ...packages);
  if (!isInstalled) {
    console.error(`Cannot install ${packages.join(", ")} with apt-get`);
    process.exit(1);
  }
}

try {
  makeTestVenv();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
