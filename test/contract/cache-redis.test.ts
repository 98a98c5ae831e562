import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll } from "vitest";
import { openTestCache } from "../redis-cache.ts";
import { TestRedis } from "../redis-server.ts";
import { describeTensorCacheContract } from "./tensor-cache-contract.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await TestRedis.start();
});
afterAll(async () => {
  await redis.stop();
});

describeTensorCacheContract({
  name: "Redis",
  create: async () => {
    await redis.restart();
    const { cache } = await openTestCache(redis.url);
    return { cache, pass: (ms) => sleep(ms) };
  },
});
