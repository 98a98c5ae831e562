// Can the statistics of experiments be trusted?
//   node --conditions=@millrace/source benchmarks/statistics/run.ts [name …]     20 s; writes benchmarks/results/
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeMachine, machineLine, ROOT } from "../machine.ts";
import { QUESTIONS } from "./questions.ts";

const names = process.argv.slice(2);
const folder = join(ROOT, "benchmarks/results");
mkdirSync(folder, { recursive: true });
for (const question of QUESTIONS) {
  if (names.length > 0 && !names.includes(question.name)) continue;
  const machine = describeMachine();
  const { setting, outcome, report, picture } = question.answer();
  const file = `statistics-${question.name}`;
  const text = [
    `# ${question.title}`,
    "",
    `Made by \`node --conditions=@millrace/source benchmarks/statistics/run.ts ${question.name}\`: simulated units, every random`,
    "number of a seed, so that the numbers are the same everywhere.",
    "",
    `- Machine (it does not matter): ${machineLine(machine)}`,
    `- Setting: \`${JSON.stringify(setting)}\``,
    "",
    `![${question.title}](${file}.svg)`,
    "",
    ...report,
  ]
    .join("\n")
    .trimEnd();
  process.stdout.write(`${text}\n\n`);
  const data = JSON.stringify({ machine, setting, outcome }, undefined, 1);
  writeFileSync(join(folder, `${file}.json`), `${data}\n`);
  writeFileSync(join(folder, `${file}.md`), `${text}\n`);
  writeFileSync(join(folder, `${file}.svg`), picture);
}
