import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { main, type Provider } from "@pulumi/pulumi/provider/index.js";
import { withoutSecretMarkers } from "../../../local/deliver/secrets.ts";
import { type Backing, type Inputs, rulesOf } from "./rules.ts";

/**
 * A test double of the azure-native provider, attached to the real engine by PULUMI_DEBUG_PROVIDERS. It checks as ARM
 * would, keeps what it made in a file, and hands out the embedded environment's cluster and registry.
 *
 * Arguments: the file of what it made, the file of the failures it is to show (`{ "<type>": "<message>" }`).
 * Environment: DOUBLE_BACKING, a Backing as JSON.
 */
const [made, failures] = process.argv.slice(2) as [string, string];
const backing = JSON.parse(process.env.DOUBLE_BACKING as string) as Backing;
const rules = rulesOf(backing);

const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const typeOf = (urn: string) => urn.split("::")[2]?.split("$").at(-1) as string;
const nameOf = (urn: string) => urn.split("::")[3] as string;

function rulesFor(urn: string) {
  const found = rules[typeOf(urn)];
  if (found === undefined) throw new Error(`the double knows no ${typeOf(urn)}`);
  return found;
}

const at = (inputs: Inputs, path: string): unknown =>
  path.split(".").reduce<unknown>((value, key) => (value as Inputs | undefined)?.[key], inputs);

function load(): Record<string, Inputs> {
  return existsSync(made) ? (JSON.parse(readFileSync(made, "utf8")) as Record<string, Inputs>) : {};
}

function store(id: string, inputs: Inputs | undefined): void {
  const all = load();
  if (inputs === undefined) delete all[id];
  else all[id] = inputs;
  writeFileSync(made, JSON.stringify(all, null, 2));
}

function failOnDemand(urn: string): void {
  if (!existsSync(failures)) return;
  const message = (JSON.parse(readFileSync(failures, "utf8")) as Record<string, string>)[typeOf(urn)];
  if (message !== undefined) throw new Error(message);
}

const provider: Provider = {
  version: "3.28.0",
  async check(urn, _olds, news) {
    const { required, name, check } = rulesFor(urn);
    const inputs = withoutSecretMarkers(news) as Inputs;
    // As azure-native does: a resource without a name of its own gets the logical one with a random end.
    inputs[name.property] ??= `${nameOf(urn)}${Math.random().toString(16).slice(2, 10)}`;
    const missing = required.filter((property) => inputs[property] === undefined);
    const named = inputs[name.property] as string;
    const hasUnknowns = JSON.stringify(inputs).includes(unknownValue);
    const reasons = [
      ...missing.map((property) => ({ property, reason: `missing required property '${property}'` })),
      ...(named === unknownValue || name.pattern.test(named)
        ? []
        : [{ property: name.property, reason: `InvalidResourceName '${named}': ${name.rule}` }]),
      ...(missing.length > 0 || hasUnknowns ? [] : (check?.(inputs) ?? [])),
    ];
    return { inputs, failures: reasons };
  },
  async diff(_id, urn, olds, news) {
    const { immutable, name } = rulesFor(urn);
    const [before, after] = [
      withoutSecretMarkers((olds as Inputs).__inputs ?? {}) as Inputs,
      withoutSecretMarkers(news) as Inputs,
    ];
    // A generated name stays what it was.
    if (after[name.property]?.startsWith(nameOf(urn))) after[name.property] = before[name.property];
    const replaces = immutable.filter(
      (property) => !isDeepStrictEqual(at(before, property), at(after, property)),
    );
    return { changes: !isDeepStrictEqual(before, after), replaces, deleteBeforeReplace: true };
  },
  async create(urn, given) {
    failOnDemand(urn);
    const { id: idOf, outputs } = rulesFor(urn);
    const inputs = withoutSecretMarkers(given) as Inputs;
    const id = idOf(inputs);
    if (id in load()) throw new Error(`Conflict: ${id} exists already`);
    store(id, inputs);
    return { id, outs: { ...inputs, ...outputs?.(inputs, id), __inputs: inputs } };
  },
  async update(id, urn, olds, news) {
    failOnDemand(urn);
    const { outputs, name } = rulesFor(urn);
    const inputs = withoutSecretMarkers(news) as Inputs;
    inputs[name.property] = ((olds as Inputs).__inputs as Inputs)[name.property];
    store(id, inputs);
    return { outs: { ...inputs, ...outputs?.(inputs, id), __inputs: inputs } };
  },
  async delete(id) {
    store(id, undefined);
  },
  async invoke(token, given) {
    const inputs = withoutSecretMarkers(given) as Inputs;
    switch (token) {
      case "azure-native:containerservice:listManagedClusterUserCredentials":
        if (inputs.format !== "exec")
          return {
            outputs: {},
            failures: [{ property: "format", reason: "must be exec: others ask for a login" }],
          };
        return {
          outputs: {
            kubeconfigs: [{ name: "clusterUser", value: Buffer.from(backing.kubeconfig).toString("base64") }],
          },
        };
      case "azure-native:containerregistry:listRegistryCredentials": {
        const registry = Object.values(load()).find(
          ({ registryName }) => registryName === inputs.registryName,
        );
        if (registry?.adminUserEnabled !== true)
          throw new Error("UnAuthorizedForCredentialOperations: the admin user is off");
        return {
          outputs: {
            username: backing.registry.username,
            passwords: [{ name: "password", value: backing.registry.password }],
          },
        };
      }
      default:
        throw new Error(`the double knows no ${token}`);
    }
  },
};

await main(provider, []);
