import { MillraceClient, type Feedback } from "millrace-client";

const url = process.argv[2] ?? "http://localhost:8000";
const count = Number(process.argv[3] ?? 2000);
const client = new MillraceClient({ url, timeoutMs: 10_000 });

/** Visitors who come at a time. */
const AT_A_TIME = 25;

/** Of 100 visitors so many buy, by the model that advised them: in this story the forest does it better. */
const BUYERS = { control: 10, treatment: 20 } as const;

const predicted = { control: 0, treatment: 0 };
let purchases = 0;

/** Asks once or twice, as people do, and buys or not. */
async function visit(index: number): Promise<Feedback | undefined> {
  const headers = { "x-visitor": `visitor-${index}` };
  const row = [5.1 + (index % 20) / 10, 3, 1.4 + (index % 40) / 10, 0.2 + (index % 20) / 10];
  const answers = [];
  for (let request = 0; request <= index % 2; request++) {
    answers.push(await client.predict(undefined, [row], { headers }));
  }
  const [{ id, variant } = {}] = answers;
  if (id === undefined || (variant !== "control" && variant !== "treatment")) {
    throw new Error(`Visitor ${index} was answered by ${String(variant)}`);
  }
  if (answers.some((answer) => answer.variant !== variant)) throw new Error("Two models for one");
  predicted[variant]++;
  if ((index * 61) % 100 >= BUYERS[variant]) return undefined;
  purchases++;
  return { predictionId: id, event: "purchase", value: 5 + (index % 10) };
}

for (let first = 0; first < count; first += AT_A_TIME) {
  const visitors = Array.from({ length: AT_A_TIME }, (_, i) => visit(first + i));
  const bought = (await Promise.all(visitors)).filter((feedback) => feedback !== undefined);
  if (bought.length > 0) await client.feedback(undefined, bought);
}
console.log(`${count} visitors: control ${predicted.control}, treatment ${predicted.treatment}`);
console.log(`${purchases} purchases`);
