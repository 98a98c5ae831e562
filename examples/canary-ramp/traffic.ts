import { setTimeout as wait } from "node:timers/promises";

const url = process.argv[2] ?? "http://localhost:8000";

/** Visitors who come at a time, and the time between. */
const AT_A_TIME = 5;
const PAUSE_MS = 50;

/** Every flower has petals of another length; some are long. */
async function visit(service: string, index: number): Promise<void> {
  const row = [5.1 + (index % 20) / 10, 3, 1.4 + (index % 40) / 10, 0.2 + (index % 20) / 10];
  const response = await fetch(`${url}/services/${service}/predict`, {
    method: "POST",
    headers: { "x-visitor": `visitor-${index}` },
    body: JSON.stringify({ data: [row] }),
  });
  await response.text(); // an error is the caller's problem; here nobody looks
}

console.log("visitors come");
for (let first = 0; ; first += AT_A_TIME) {
  const visitors = Array.from({ length: AT_A_TIME }, (_, i) => first + i);
  const visits = visitors.flatMap((index) => [visit("iris", index), visit("orchid", index)]);
  // The server is gone: so are they.
  const gone = (await Promise.allSettled(visits)).some(({ status }) => status === "rejected");
  if (gone) break;
  await wait(PAUSE_MS);
}
