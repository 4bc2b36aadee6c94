import type { DatabaseConfig } from "../config/database.ts";
import { InputError } from "../config/error.ts";

const postgresUrl = /^postgres(ql)?:\/\/[^:@/\s]+:[^@/\s]+@[^@/\s]+\/[^/?\s]+(\?\S*)?$/;

/**
 * Checks what the schema cannot, as a rendering has no value for what is encrypted: that a URL is a database's.
 *
 * @throws InputError, which does not show the URL
 */
export function checkDatabase(database: DatabaseConfig): void {
  if (database.kind !== "external" || (postgresUrl.test(database.url) && URL.canParse(database.url))) return;
  throw new InputError({
    key: "slipway:database.url",
    rule: "must be a URL such as postgres://user:password@host:5432/name",
    hint: "Set it by: pulumi config set --secret --path slipway:database.url",
  });
}
