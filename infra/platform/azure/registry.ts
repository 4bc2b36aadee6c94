import * as containerregistry from "@pulumi/azure-native/containerregistry/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { AzurePlatform } from "../../config/azure.ts";
import type { RegistryCredentials } from "../platform.ts";
import type { AzureResourceGroup } from "./resourceGroup.ts";
import { roleAssignment } from "./roleAssignment.ts";
import { TokenPassword } from "./tokenPassword.ts";
import type { RotationPolicy } from "./tokenRotation.ts";
import { uniqueEnd } from "./uniqueName.ts";

export interface AcrRegistryArgs {
  readonly resourceGroup: AzureResourceGroup;
  readonly location: string;
  readonly tags: { readonly [name: string]: string };
  readonly settings: AzurePlatform["registry"];
  /** How to sign in to Azure. */
  readonly login: AzurePlatform["cluster"]["login"];
  /** Repositories that this stack pushes to and pulls from. */
  readonly repositories: readonly string[];
  /** Identity of the cluster's kubelets, which gets AcrPull. */
  readonly kubeletObjectId: pulumi.Input<string>;
  /** Default of the registry's name, before its unique end. */
  readonly baseName: string;
}

function globalName(base: string, resourceGroupId: string): string {
  return `${base.toLowerCase().replace(/[^a-z0-9]/g, "")}${uniqueEnd(resourceGroupId)}`.slice(-50);
}

/** When the passwords of the registry's tokens are made anew. */
function rotationOf({
  rotation,
  maxAgeDays,
  expiry,
}: Extract<AzurePlatform["registry"]["pull"], { kind: "token" }>): RotationPolicy {
  return {
    rotation,
    ...(maxAgeDays === undefined ? {} : { maxAgeDays }),
    ...(expiry === undefined ? {} : { expiry }),
  };
}

/** A container registry, its pull for the cluster's nodes, and the users by which this stack pushes and pulls. */
export class AcrRegistry extends pulumi.ComponentResource {
  /** `<name>.azurecr.io`. */
  readonly server: pulumi.Output<string>;
  readonly push: RegistryCredentials;
  /** Absent where the nodes' own identity pulls. */
  readonly pull: RegistryCredentials | undefined;

  readonly #name: string;
  readonly #args: AcrRegistryArgs;
  readonly #registry: containerregistry.Registry;
  /** Known before the registry is there, so that an update of it does not preview as the replacement of its tokens. */
  readonly #registryName: pulumi.Input<string>;

  constructor(name: string, args: AcrRegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("slipway:azure:AcrRegistry", name, {}, opts);
    const { resourceGroup, location, tags, settings, kubeletObjectId, baseName } = args;
    this.#name = name;
    this.#args = args;
    this.#registryName = settings.name ?? resourceGroup.id.apply((id) => globalName(baseName, id));
    this.#registry = new containerregistry.Registry(
      `${name}-registry`,
      {
        resourceGroupName: resourceGroup.name,
        location,
        tags,
        registryName: this.#registryName,
        sku: { name: settings.sku },
        adminUserEnabled: settings.pull.kind === "admin",
        anonymousPullEnabled: false,
      },
      { parent: this, dependsOn: [resourceGroup.resource] },
    );
    roleAssignment(
      `${name}-acr-pull`,
      {
        scope: this.#registry.id,
        role: "AcrPull",
        principalId: kubeletObjectId,
        key: `${baseName}/acr-pull`,
      },
      { parent: this },
    );
    this.server = this.#registry.loginServer;
    switch (settings.pull.kind) {
      case "admin":
        void pulumi.log.warn(
          "slipway:platform.registry.pull.kind = admin lets whoever reads the pull secret push as well: for trials only",
          this,
        );
        this.push = this.pull = this.#admin();
        break;
      case "token":
        this.push = this.#token(
          "push",
          ["content/read", "content/write", "metadata/read", "metadata/write"],
          rotationOf(settings.pull),
        );
        this.pull = this.#token("pull", ["content/read", "metadata/read"], rotationOf(settings.pull));
        break;
      case "kubeletIdentity":
        this.push = this.#token(
          "push",
          ["content/read", "content/write", "metadata/read", "metadata/write"],
          { rotation: "" },
        );
        this.pull = undefined;
        break;
    }
    this.registerOutputs({ server: this.server });
  }

  #admin(): RegistryCredentials {
    // Named by the registry itself: a preview that is to turn the user on must not ask Azure for what is off yet.
    const credentials = containerregistry.listRegistryCredentialsOutput(
      { resourceGroupName: this.#args.resourceGroup.name, registryName: this.#registry.name },
      { parent: this, dependsOn: [this.#registry] },
    );
    return {
      username: credentials.apply(({ username }) => username ?? ""),
      password: pulumi.secret(credentials.apply(({ passwords }) => passwords?.[0]?.value ?? "")),
    };
  }

  /** A user of the registry for these actions on this stack's repositories, and nothing else. */
  #token(purpose: string, actions: readonly string[], rotation: RotationPolicy): RegistryCredentials {
    const resourceGroupName = this.#args.resourceGroup.name;
    const registryName = this.#registryName;
    // Azure asks for five characters or more.
    const tokenName = `${purpose}-images`;
    const scopeMap = new containerregistry.ScopeMap(
      `${this.#name}-${purpose}-scope`,
      {
        resourceGroupName,
        registryName,
        scopeMapName: tokenName,
        actions: this.#args.repositories.flatMap((repository) =>
          actions.map((action) => `repositories/${repository}/${action}`),
        ),
      },
      { parent: this, dependsOn: [this.#registry] },
    );
    const token = new containerregistry.Token(
      `${this.#name}-${purpose}-token`,
      { resourceGroupName, registryName, tokenName, scopeMapId: scopeMap.id, status: "enabled" },
      { parent: this },
    );
    const { password } = new TokenPassword(
      `${this.#name}-${purpose}-password`,
      {
        login: this.#args.login,
        subscriptionId: token.id.apply((id) => id.split("/")[2] as string),
        resourceGroup: resourceGroupName,
        registry: registryName,
        token: tokenName,
        tokenId: token.id,
        ...rotation,
      },
      { parent: this },
    );
    return { username: tokenName, password: pulumi.secret(password) };
  }
}
