import { parseArgs } from "node:util";
import { logChaos, RING_RECORDS } from "./log-chaos.ts";
import { progressLine } from "./progress-line.ts";

const USAGE = `Kills processes of a Millrace under load, and counts the rows of its prediction log.

  npm run chaos -- --rounds 100 --seed 1
`;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "100" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    help: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const seed = Number(values.seed);
if (values.help) console.log(USAGE);
else if (!Number.isSafeInteger(rounds) || rounds < 1 || !Number.isSafeInteger(seed)) {
  console.error(USAGE);
  process.exitCode = 2;
} else process.exitCode = await chaos();

async function chaos(): Promise<number> {
  console.log(`seed ${seed}`);
  const report = await logChaos({ seed, rounds, onProgress: progressLine(rounds) });
  console.log(JSON.stringify({ seed, rounds, ...report }, undefined, 2));
  const { twice, failed, lostWithoutKillMax, lostOfRoundMax } = report;
  const isGood = twice + failed + lostWithoutKillMax === 0 && lostOfRoundMax <= 2 * RING_RECORDS;
  return isGood ? 0 : 1;
}
