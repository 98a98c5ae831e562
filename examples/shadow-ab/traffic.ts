import { MillraceClient } from "millrace-client";

const url = process.argv[2] ?? "http://localhost:8000";
const count = Number(process.argv[3] ?? 600);
const client = new MillraceClient({ url, timeoutMs: 10_000 });

/** Shortest sepal and petal of each species, their lengths and widths, and what they grow to. */
const SPECIES = [
  { least: [4.6, 3.0, 1.2, 0.1], span: [0.9, 1.0, 0.5, 0.4] },
  { least: [5.2, 2.3, 3.6, 1.0], span: [1.6, 0.8, 1.4, 0.7] },
  { least: [5.8, 2.6, 4.9, 1.6], span: [1.7, 0.8, 1.6, 0.8] },
] as const;

/** A flower, the same for the same number. */
function flower(index: number): readonly number[] {
  const { least, span } = SPECIES[index % 3] as (typeof SPECIES)[number];
  const places = [(index * 37) % 100, (index * 61) % 97, (index * 17) % 89, (index * 29) % 83];
  const of = [100, 97, 89, 83] as const;
  return least.map((from, i) => {
    const cm = from + (span[i] ?? 0) * ((places[i] ?? 0) / (of[i] ?? 1));
    return Math.round(cm * 10) / 10;
  });
}

for (let index = 0; index < count; index++) await client.predict(undefined, [flower(index)]);
console.log(`${count} predictions`);
