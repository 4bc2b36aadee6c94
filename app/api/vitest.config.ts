import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default", "junit"],
    outputFile: { junit: "reports/junit.xml" },
    coverage: {
      include: ["src/**/*.ts"],
      reporter: ["text", "cobertura"],
      reportsDirectory: "reports",
    },
  },
});
