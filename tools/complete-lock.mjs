// tools/complete-lock.mjs — npm leaves optional platform packages its registry lacks out of the lock; `npm ci` then calls them missing.
import { readFileSync, writeFileSync } from "node:fs";
const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
const OS = {
  android: "android",
  darwin: "darwin",
  freebsd: "freebsd",
  openbsd: "openbsd",
  netbsd: "netbsd",
  linux: "linux",
  openharmony: "openharmony",
  sunos: "sunos",
  aix: "aix",
  win32: "win32",
};
const CPU = {
  x64: "x64",
  arm64: "arm64",
  aarch64: "arm64",
  arm: "arm",
  armv7: "arm",
  ia32: "ia32",
  ppc64: "ppc64",
  riscv64: "riscv64",
  s390x: "s390x",
  loong64: "loong64",
  wasm32: "wasm32",
};
for (const [path, pkg] of Object.entries(lock.packages))
  for (const [name, range] of Object.entries(pkg.optionalDependencies ?? {})) {
    if (lock.packages[`node_modules/${name}`] || lock.packages[`${path}/node_modules/${name}`])
      continue;
    const words = name.replace(/^@[^/]+\//, "").split(/[-/]/); // binding-win32-x64-msvc, darwin-arm64, …
    const os = words.map((w) => OS[w]).find(Boolean),
      cpu = words.map((w) => CPU[w]).find(Boolean);
    const libc = words.includes("musl") ? "musl" : words.includes("gnu") ? "glibc" : undefined;
    if (!os && !cpu) throw new Error(`Cannot complete lock: "${name}" has no platform in its name`);
    lock.packages[`node_modules/${name}`] = {
      version: range.replace(/^[\^~]/, ""),
      ...(cpu && { cpu: [cpu] }),
      ...(pkg.dev && { dev: true }),
      ...(libc && { libc: [libc] }),
      optional: true,
      ...(os && { os: [os] }),
    };
  }
const { "": root, ...rest } = lock.packages;
lock.packages = {
  "": root,
  ...Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))),
};
writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
