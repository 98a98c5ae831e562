// All checks of the project, in the order in which they fail fastest. The last line is the count that CI reads.
// `npm run ok` and `npm test` run all of it; `npm run ok -- --no-tests` leaves the tests out.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { delimiter, resolve } from "node:path";

const REPORT = "node_modules/.cache/vitest-report.json";

// npm 11 puts the Node.js of the project in front of the system's for every script; npm 10 leaves it out.
const BUNDLED = resolve(`node_modules/node-${process.platform}-${process.arch}/bin`);
if (Number.parseInt(process.versions.node, 10) < 24 && existsSync(BUNDLED)) {
  process.env.PATH = `${BUNDLED}${delimiter}${process.env.PATH}`;
}

const CHECKS = [
  ["parts", ["node", "tools/ensure-parts.mjs"]],
  ["format", ["npm", "run", "--silent", "format"]],
  ["lint", ["npm", "run", "--silent", "lint"]],
  ["types", ["npm", "run", "--silent", "types"]],
  ["dead code", ["npm", "run", "--silent", "dead"]],
  ["reference pages", ["npm", "run", "--silent", "docs:check"]],
  ["lock file", ["node", "tools/check-lock.mjs"]],
];

let passed = 0;
let failed = 0;

function run(name, [command, ...args]) {
  const startedMs = Date.now();
  const { status } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  return status === 0;
}

for (const [name, command] of CHECKS) {
  if (run(name, command)) passed++;
  else failed++;
}

if (!process.argv.includes("--no-tests")) {
  mkdirSync("node_modules/.cache", { recursive: true });
  rmSync(REPORT, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${REPORT}`];
  const isOk = run("tests", ["vitest", "run", ...reporters]);
  try {
    const report = JSON.parse(readFileSync(REPORT, "utf8"));
    passed += report.numPassedTests;
    failed += report.numFailedTests;
    // A file that cannot be loaded has no tests to fail.
    if (!isOk && report.numFailedTests === 0) failed++;
    if (report.numTotalTests === 0) failed++;
  } catch {
    failed++;
  }
}

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
