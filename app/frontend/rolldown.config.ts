import { defineConfig } from "rolldown";
import sbom from "rollup-plugin-sbom";

/*
 * The server and all that it imports in a few files: reading six hundred took more than half of the processor time of a
 * start, and pods that start beside those that serve make these late.
 */
export default defineConfig({
  input: "server/server.ts",
  platform: "node",
  output: { dir: "dist/server", format: "esm", cleanDir: true },
  plugins: [
    // Scanners of images find no node_modules; they find this.
    sbom({
      // The newest that syft 1.20 reads.
      specVersion: "1.6",
      outDir: ".",
      outFilename: "bom.cdx",
      // Equal sources make equal images.
      saveTimestamp: false,
      includeWellKnown: false,
    }),
  ],
});
