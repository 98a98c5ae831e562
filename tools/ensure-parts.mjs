// What the tests need besides npm packages, installed where it can be: on Debian as root. Elsewhere it says what to do.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const PARTS = [
  { name: "Chromium", file: "/usr/bin/chromium", debian: ["chromium"] },
  { name: "curl", file: "/usr/bin/curl", debian: ["curl"] },
  { name: "ps", file: "/usr/bin/ps", debian: ["procps"] },
  { name: "openssl", file: "/usr/bin/openssl", debian: ["openssl"] },
];

const missing = PARTS.filter((part) => !existsSync(part.file));
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
