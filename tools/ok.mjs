// All checks of the project, in the order in which they fail fastest. The last line is the count that CI reads.
// `npm run ok` and `npm test` run all of it; `npm run ok -- --no-tests` leaves the tests out.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { delimiter, relative, resolve } from "node:path";

const REPORT = "node_modules/.cache/vitest-report.json";

/** When more files of tests fail than this, it is not chance. */
const AGAIN_FILES_MAX = 8;

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
  const isOk = runTests("tests", []);
  const report = readReport();
  passed += report.numPassedTests;
  if (report.numTotalTests === 0) failed++;
  if (!isOk) countFailures(report);
}

/** @returns whether all of them passed. */
function runTests(name, options) {
  rmSync(REPORT, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${REPORT}`];
  return run(name, ["vitest", "run", ...reporters, ...options]);
}

function readReport() {
  try {
    return JSON.parse(readFileSync(REPORT, "utf8"));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numTotalTests: 0, testResults: [] };
  }
}

/**
 * Tests with real processes share two cores here. The files that failed run once more, with the machine to
 * themselves: what fails again is broken; what passes is named, because a test should not need that.
 */
function countFailures(first) {
  const files = first.testResults.filter(({ status }) => status === "failed");
  const failures = Math.max(first.numFailedTests, files.length, 1);
  if (files.length === 0 || files.length > AGAIN_FILES_MAX) {
    failed += failures;
    return;
  }
  const names = files.map(({ name }) => relative(".", name));
  if (runTests("tests again, alone", ["--maxWorkers=1", ...names])) {
    passed += first.numFailedTests;
    console.log(`UNSTEADY, failed beside others and passed alone: ${names.join(", ")}`);
  } else {
    failed += Math.max(readReport().numFailedTests, 1);
  }
}

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
