import { MillraceClient } from "millrace-client";

const url = process.argv[2] ?? "http://localhost:8000";
const client = new MillraceClient({ url, timeoutMs: 5000 });

/** Row i: a flower whose petals are i × 0.1 cm longer than the first one's. */
const rows = Array.from({ length: 50 }, (_, i) => [5.1, 3.5, 1.4 + i / 10, 0.2 + i / 25]);

/** Asks for all 50 rows at once, each in a request of its own. */
async function predictAll(service: string): Promise<string[]> {
  const replies = rows.map((row) => client.predict<string>(service, [row], { label: true }));
  return (await Promise.all(replies)).map(({ prediction }) => prediction);
}

const together = await predictAll("iris");
const alone = await predictAll("iris-alone");
console.log("rows 0, 20 and 49:", together[0], together[20], together[49]);
console.log("each as if it had come alone:", together.join() === alone.join());
