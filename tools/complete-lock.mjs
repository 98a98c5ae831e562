// Run after every `npm install`. npm leaves optional packages for other platforms out of the lock file when its
// registry lacks them, and `npm ci` then stops because they are missing; this puts them back, without a hash.
import { readFileSync, writeFileSync } from "node:fs";

const LOCK = "package-lock.json";
const SYSTEMS = [
  "android",
  "darwin",
  "freebsd",
  "openbsd",
  "netbsd",
  "linux",
  "openharmony",
  "sunos",
  "aix",
  "win32",
];
const PROCESSORS = {
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

/** The entry npm would have written, from the words of a name like `@scope/binding-win32-x64-msvc`. */
function entryOf(name, range, isDev) {
  const words = name.replace(/^@[^/]+\//, "").split(/[-/]/);
  const os = words.find((word) => SYSTEMS.includes(word));
  const processor = words.find((word) => word in PROCESSORS);
  const libc = words.includes("musl") ? "musl" : words.includes("gnu") ? "glibc" : undefined;
  if (os === undefined && processor === undefined) {
    throw new Error(`Cannot complete the lock file: "${name}" has no platform in its name`);
  }
  return {
    version: range.replace(/^[\^~]/, ""),
    ...(processor && { cpu: [PROCESSORS[processor]] }),
    ...(isDev && { dev: true }),
    ...(libc && { libc: [libc] }),
    optional: true,
    ...(os && { os: [os] }),
  };
}

const lock = JSON.parse(readFileSync(LOCK, "utf8"));
let added = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    const places = [`node_modules/${name}`, `${path}/node_modules/${name}`];
    if (places.some((place) => lock.packages[place] !== undefined)) continue;
    lock.packages[places[0]] = entryOf(name, range, entry.dev);
    added++;
  }
}
const { "": root, ...rest } = lock.packages;
const sorted = Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1));
lock.packages = { "": root, ...Object.fromEntries(sorted) };
writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} entries added to ${LOCK}`);
