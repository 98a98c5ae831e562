import type { LoadPlan } from "./load-plan.ts";

/** Threads that have something to do: each needs a connection, and a client where there are any. */
export function threadsOf({ threads, connectionsMax, arrivals }: LoadPlan): number {
  const clients = arrivals.kind === "closed" ? arrivals.clients : Infinity;
  return Math.max(1, Math.min(threads, connectionsMax, clients));
}

/** The plan of one thread: its part of the connections and clients. What it starts follows from its number. */
export function sharePlan(plan: LoadPlan, thread: number, threads: number): LoadPlan {
  const part = (whole: number) => Math.floor((whole + threads - 1 - thread) / threads);
  const { arrivals } = plan;
  return {
    ...plan,
    threads,
    connectionsAtStart: part(plan.connectionsAtStart),
    connectionsMax: part(plan.connectionsMax),
    connectionsKept: Math.max(1, part(plan.connectionsKept)),
    arrivals:
      arrivals.kind === "closed" ? { ...arrivals, clients: part(arrivals.clients) } : arrivals,
  };
}
