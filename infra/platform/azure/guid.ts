import { v5 } from "uuid";

/** Namespace of the GUIDs that this program derives; any fixed GUID would do, as long as it never changes. */
const namespace = "5f2e1c3a-8d0b-5b0e-9c55-2f6f0c1d7a42";

/** A GUID that is the same for the same text in every run: role assignments are named by one. */
export function stableGuid(text: string): string {
  return v5(text, namespace);
}
