import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { azurePage } from "../../ci/docs/azurePage.ts";
import { stackTable } from "../../ci/docs/stackTable.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const root = join(import.meta.dirname, "../..");

test("docs/azure.md tells how dev and prod differ, as their files are (npm run docs)", () => {
  const page = readFileSync(join(root, "docs/azure.md"), "utf8");
  expect(page).toBe(azurePage(root, page));
});

test("the table has the values that differ, defaults too, and the cost class of each SKU", () => {
  const platform = (cluster: object, registry: object = {}) => ({
    config: {
      "slipway:platform": {
        kind: "azure",
        location: "westeurope",
        cluster: { kubernetesVersion: "1.34", ...cluster },
        registry,
      },
      "slipway:exposure": { api: { type: "LoadBalancer" }, frontend: { type: "LoadBalancer" } },
    },
  });
  const directory = temporaryDirectory({
    "Pulumi.one.yaml": stringify(platform({ systemPool: { vmSize: "Standard_B2s" } })),
    "Pulumi.two.yaml": stringify(
      platform({ tier: "Premium", systemPool: { zones: ["1", "2"] } }, { sku: "Premium" }),
    ),
  });
  expect(stackTable(directory, "one", "two").replace(/ +/g, " ").split("\n").slice(2)).toEqual([
    "| `platform.cluster.tier` | Free (free) | Premium (high) |",
    "| `platform.cluster.systemPool.vmSize` | Standard_B2s (low) | Standard_D2s_v5 (medium) |",
    "| `platform.registry.sku` | Basic (low) | Premium (medium) |",
    "| `platform.cluster.systemPool.zones` | | 1, 2 |",
  ]);
});
