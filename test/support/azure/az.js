// An `az` that keeps what it made in $AZ_STATE, as far as azure:state goes, and writes down each call.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";

const { AZ_STATE: file, AZ_CALLS: calls, AZ_SIGNED_OUT: signedOut, AZ_FORBIDS: forbids = "0" } = process.env;
const args = process.argv.slice(2);
const words = args
  .slice(
    0,
    args.findIndex((arg) => arg.startsWith("-")),
  )
  .join(" ");
const option = (name) => args[args.indexOf(name) + 1];
const state = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { forbidden: 0 };
const save = () => writeFileSync(file, JSON.stringify(state));
const fail = (message) => {
  console.error(`ERROR: ${message}`);
  process.exit(1);
};
appendFileSync(calls, `${args.join(" ")}\n`);
if (signedOut) fail("Please run 'az login' to setup account.");

switch (words) {
  case "account show":
    console.log(JSON.stringify({ id: "sub-1", user: { name: "me@example.com", type: "user" } }));
    break;
  case "ad signed-in-user show":
    console.log("11111111-1111-4111-8111-111111111111");
    break;
  case "keyvault show":
    if (!state.vault) fail(`(ResourceNotFound) The Resource '${option("--name")}' was not found.`);
    break;
  case "keyvault create":
    if (state.vault) fail("(VaultAlreadyExists) The vault name is already in use.");
    state.vault = option("--name");
    save();
    break;
  case "keyvault key show":
    if (state.forbidden < Number(forbids)) {
      state.forbidden += 1;
      save();
      fail("(Forbidden) Caller is not authorized to perform action on resource.");
    }
    if (!state.key) fail("(KeyNotFound) A key with (name/id) pulumi was not found in this key vault.");
    break;
  case "keyvault key create":
    if (state.key) fail("a key was made twice");
    state.key = option("--name");
    save();
    break;
  case "group create":
  case "role assignment create":
  case "storage account create":
  case "storage account blob-service-properties update":
  case "storage container-rm create":
    break;
  default:
    fail(`this az knows no ${words}`);
}
