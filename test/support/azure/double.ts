import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { main, type Provider } from "@pulumi/pulumi/provider/index.js";
import { execaSync } from "execa";
import { parse, stringify } from "yaml";
import { withoutSecretMarkers } from "../../../local/deliver/secrets.ts";
import { type Inputs, subscription } from "./armRules.ts";
import { Operations } from "./operations.ts";
import { type Backing, type Failure, rulesOf } from "./rules.ts";

/**
 * A test double of the azure-native provider, attached to the real engine by PULUMI_DEBUG_PROVIDERS. It checks as ARM
 * would, keeps what it made in a file, and hands out the embedded environment's cluster and registry.
 *
 * Arguments: the file of what it made, the file of the failures it is to show (`{ "<type>": Failure }`), that of the
 * versions of secrets in Key Vaults (`{ "<vault>/<secret>": "<version>" }`), and that of the operations of others that are
 * in progress (`{ "<id>": "Updating" }`); and one that is there once the cluster's certificate has been rotated.
 * Environment: DOUBLE_BACKING, a Backing as JSON.
 */
const [made, failures, secrets, others, rotated] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];
const backing = JSON.parse(process.env.DOUBLE_BACKING as string) as Backing;
const rules = rulesOf(backing);

// How a secret goes over the wire (@pulumi/pulumi/runtime/rpc).
const secretMarker = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
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

const read = <T>(file: string): T => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {}) as T;

const operations = new Operations(() => read(others));

/** Changes a resource, alone where Azure takes one operation at a time. */
function alone<T>(urn: string, inputs: Inputs, operation: string, change: () => T): Promise<T> | T {
  const { exclusive } = rulesFor(urn);
  return exclusive === undefined
    ? change()
    : operations.run(exclusive.id(inputs), operation, exclusive.refusal, change);
}

/** The cluster's kubeconfig, after a rotation with other bytes that say the same. */
function kubeconfig(): string {
  if (!existsSync(rotated)) return backing.kubeconfig;
  const { clusters } = parse(backing.kubeconfig) as { clusters: { cluster: Inputs }[] };
  const renewed = clusters.map(({ cluster, ...rest }) => {
    const certificate = Buffer.from(cluster["certificate-authority-data"], "base64");
    const more = Buffer.concat([certificate, Buffer.from("\n")]).toString("base64");
    return { ...rest, cluster: { ...cluster, "certificate-authority-data": more } };
  });
  return stringify({ clusters: renewed });
}

/** What azure-native keeps of a resource: what Azure tells of it, and its inputs as a secret. */
function stateOf(urn: string, inputs: Inputs, id: string): Record<string, unknown> {
  const { outputs, writeOnly = [] } = rulesFor(urn);
  const told = Object.fromEntries(Object.entries(inputs).filter(([name]) => !writeOnly.includes(name)));
  return { ...told, ...outputs?.(inputs, id), __inputs: { [secretMarker]: secretSignature, value: inputs } };
}

/** Gives what stands in for a database server the administrator that Azure would give it: no superuser. */
function standIn(
  urn: string,
  { administratorLogin: login, administratorLoginPassword: password }: Inputs,
): void {
  if (typeOf(urn) !== "azure-native:dbforpostgresql:Server" || backing.postgres === undefined) return;
  const [command, ...args] = backing.postgres.psql;
  const input = `SELECT 'CREATE ROLE ${login} LOGIN CREATEDB CREATEROLE' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${login}') \\gexec
ALTER ROLE ${login} PASSWORD '${password}';
`;
  execaSync(command, args, { input });
}

function failureOf(urn: string): Failure | undefined {
  return read<Record<string, Failure>>(failures)[typeOf(urn)];
}

/** What ARM looks for before it makes a resource. */
function requireSurroundings(inputs: Inputs, parent: string | undefined): void {
  const all = load();
  const group = inputs.resourceGroupName;
  if (group !== undefined && parent === undefined && !(`${subscription}/resourceGroups/${group}` in all))
    throw new Error(`ResourceGroupNotFound: '${group}'`);
  if (parent !== undefined && !(parent in all)) throw new Error(`ParentResourceNotFound: '${parent}'`);
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
    // What is secret stays so.
    return { inputs: { ...news, [name.property]: named }, failures: reasons };
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
    // Undefined has the engine compare the inputs, and so heed replaceOnChanges.
    const changes = isDeepStrictEqual(before, after) ? false : undefined;
    return { ...(changes === undefined ? {} : { changes }), replaces, deleteBeforeReplace: true };
  },
  async create(urn, given) {
    const failure = failureOf(urn);
    if (failure !== undefined && !failure.made) throw new Error(failure.message);
    const { id: idOf, parent } = rulesFor(urn);
    const inputs = withoutSecretMarkers(given) as Inputs;
    const id = idOf(inputs);
    if (typeOf(urn) !== "azure-native:resources:ResourceGroup") requireSurroundings(inputs, parent?.(inputs));
    if (id in load()) throw new Error(`Conflict: ${id} exists already`);
    await alone(urn, inputs, "Creating", () => store(id, inputs));
    standIn(urn, inputs);
    const outs = stateOf(urn, inputs, id);
    if (failure === undefined) return { id, outs };
    throw Object.assign(new Error(failure.message), { id, properties: outs, reasons: [failure.message] });
  },
  async update(id, urn, olds, news) {
    const failure = failureOf(urn);
    if (failure !== undefined) throw new Error(failure.message);
    const { name, frozen = [], transition } = rulesFor(urn);
    const inputs = withoutSecretMarkers(news) as Inputs;
    const { __inputs: before } = withoutSecretMarkers(olds) as { __inputs: Inputs };
    inputs[name.property] = before[name.property];
    const changed = frozen.find((property) => !isDeepStrictEqual(at(before, property), at(inputs, property)));
    if (changed !== undefined) throw new Error(`BadRequest: the property ${changed} cannot be changed`);
    const refused = transition?.(before, inputs);
    if (refused !== undefined) throw new Error(refused);
    await alone(urn, inputs, "Updating", () => store(id, inputs));
    standIn(urn, inputs);
    return { outs: stateOf(urn, inputs, id) };
  },
  async delete(id, urn, given) {
    const { __inputs: inputs } = withoutSecretMarkers(given) as Inputs;
    await alone(urn, inputs, "Deleting", () => store(id, undefined));
  },
  async invoke(token, given) {
    const inputs = withoutSecretMarkers(given) as Inputs;
    switch (token) {
      case "azure-native:authorization:getClientConfig":
        return {
          outputs: {
            subscriptionId: subscription.split("/")[2],
            tenantId: "00000000-0000-0000-0000-000000000002",
            clientId: "",
            objectId: "00000000-0000-0000-0000-000000000003",
          },
        };
      case "azure-native:keyvault:getSecret": {
        const version = read<Record<string, string>>(secrets)[`${inputs.vaultName}/${inputs.secretName}`];
        if (version === undefined)
          throw new Error(
            `Status=404 Code="SecretNotFound" Message="A secret with (name/id) ${inputs.secretName} was not found in this key vault."`,
          );
        const secretUri = `https://${inputs.vaultName}.vault.azure.net/secrets/${inputs.secretName}`;
        return {
          outputs: { properties: { secretUri, secretUriWithVersion: `${secretUri}/${version}` } },
        };
      }
      case "azure-native:network:getPublicIPAddress":
        return { outputs: { ipAddress: "203.0.113.17" } };
      case "azure-native:containerservice:listManagedClusterUserCredentials":
        if (inputs.format !== "exec")
          return {
            outputs: {},
            failures: [{ property: "format", reason: "must be exec: others ask for a login" }],
          };
        return {
          outputs: {
            kubeconfigs: [{ name: "clusterUser", value: Buffer.from(kubeconfig()).toString("base64") }],
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
