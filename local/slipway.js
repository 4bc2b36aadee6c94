// Where the local commands begin. JavaScript, so that the cache of compiled code is on before the first TypeScript is read.
import { enableCompileCache } from "node:module";

enableCompileCache();
await import("./cli.ts");
