// The lock file and .npmrc must name no host: each machine installs from the registry it is set up with.
import { readFileSync } from "node:fs";

const problems = [];
for (const file of ["package-lock.json", ".npmrc"]) {
  readFileSync(file, "utf8")
    .split("\n")
    .forEach((line, i) => {
      if (/"resolved": *"https?:|registry *=/.test(line))
        problems.push(`${file}:${i + 1}: ${line.trim()}`);
    });
}
const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    const isThere =
      lock.packages[`node_modules/${name}`] ?? lock.packages[`${path}/node_modules/${name}`];
    if (isThere === undefined) {
      problems.push(
        `package-lock.json: ${name} of ${path} is left out; run node tools/complete-lock.mjs`,
      );
    }
  }
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
