import { MemoryTensorCache } from "../../packages/millrace/src/adapters/cache-memory/memory-tensor-cache.ts";
import { TestClock } from "../../packages/millrace/src/core/test-clock.ts";
import { describeTensorCacheContract } from "./tensor-cache-contract.ts";

describeTensorCacheContract({
  name: "memory",
  create: () => {
    const clock = new TestClock();
    const cache = new MemoryTensorCache({ entriesMax: 1000, bytesMax: 64 * 1024 * 1024 }, clock);
    return Promise.resolve({ cache, pass: async (ms) => clock.advanceMs(ms) });
  },
});
