import { resolve } from "node:path";

/** A static root that holds a page: the sources' own, for tests of something else. */
export const webRoot = resolve(import.meta.dirname, "../..");
