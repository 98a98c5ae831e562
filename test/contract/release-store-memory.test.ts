import { MemoryReleaseStore } from "../../packages/millrace/src/adapters/release-store-memory/release-store-memory.ts";
import { describeReleaseStoreContract } from "./release-store-contract.ts";

describeReleaseStoreContract({
  name: "memory",
  create: () => Promise.resolve(new MemoryReleaseStore()),
  reopen: undefined,
});
