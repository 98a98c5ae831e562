import { MemoryOverrideStore } from "../../packages/millrace/src/adapters/override-store-memory/override-store-memory.ts";
import { describeOverrideStoreContract } from "./override-store-contract.ts";

describeOverrideStoreContract({
  name: "memory",
  create: () => Promise.resolve(new MemoryOverrideStore()),
  reopen: undefined,
});
