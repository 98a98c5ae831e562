import { defineConfig } from "vitest/config";

// Both conditions are needed: the second one is what Node-side tests resolve with.
const conditions = ["@millrace/source"];

const common = {
  resolve: { conditions },
  ssr: { resolve: { conditions } },
};

const limits = { testTimeout: 30_000, hookTimeout: 60_000 };

export default defineConfig({
  ...common,
  test: {
    maxWorkers: 2,
    projects: [
      {
        ...common,
        test: {
          ...limits,
          name: "beside",
          include: ["packages/*/src/**/*.test.ts", "tools/**/*.test.ts"],
          // Nothing happens at import, so files need not be kept apart; a worker for each of 400 takes minutes.
          isolate: false,
        },
      },
      {
        ...common,
        test: {
          ...limits,
          name: "whole",
          include: ["test/**/*.test.ts", "examples/**/*.test.ts", "benchmarks/**/*.test.ts"],
        },
      },
    ],
  },
});
