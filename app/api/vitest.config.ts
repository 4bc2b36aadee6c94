import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // A database is made for some tests, which takes seconds on a busy machine.
    testTimeout: 60_000,
    reporters: ["default", "junit"],
    outputFile: { junit: "reports/junit.xml" },
    coverage: {
      include: ["src/**/*.ts"],
      reporter: ["text", "cobertura"],
      reportsDirectory: "reports",
    },
  },
});
