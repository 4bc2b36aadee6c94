import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../infra/projectRoot.ts";
import { azurePage } from "./azurePage.ts";

// Writes what the documentation says of the stack files.
const file = join(root, "docs/azure.md");
writeFileSync(file, azurePage(root, readFileSync(file, "utf8")));
