import { defineConfig } from "vitest/config";

export default defineConfig({
  // Relative URLs: the page works under any path prefix.
  base: "./",
  appType: "mpa",
  build: { outDir: "dist/wwwroot" },
  // The default configuration asks the page's own origin; in development that is the api of `npm run dev`.
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default", "junit"],
    outputFile: { junit: "reports/junit.xml" },
    coverage: {
      include: ["src/**/*.ts", "server/**/*.ts", "shared/**/*.ts"],
      reporter: ["text", "cobertura"],
      reportsDirectory: "reports",
    },
  },
});
