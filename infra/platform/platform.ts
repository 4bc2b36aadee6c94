import type * as docker from "@pulumi/docker";
import type * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { VaultAccess } from "../workloads/release.ts";
import type { FixedChoices } from "./replacement.ts";

/** A user of a registry. */
export interface RegistryCredentials {
  readonly username: pulumi.Input<string>;
  readonly password: pulumi.Output<string>;
}

/** The cluster that a stack runs on. */
export interface Cluster {
  readonly provider: kubernetes.Provider;
  /** Content of a kubeconfig, secret. */
  readonly kubeconfig: pulumi.Output<string>;
  /** Names the cluster, whatever credentials reach it. */
  readonly clusterIdentifier: pulumi.Input<string>;
  /** The cluster is gone for good once it does not answer. */
  readonly disposable: boolean;
  /** Reads an object before the program makes it; absent where this very run may make the cluster, as on Azure. */
  readonly read?: (apiVersion: string, kind: string, namespace: string, name: string) => Promise<unknown>;
  /** Address at which NodePorts answer, where there is one that clients can reach. */
  readonly nodeAddress?: string;
  /** Azure region, where it is one of Azure's. */
  readonly location?: string;
  /** Whether AKS's application routing serves Ingresses. */
  readonly appRouting?: boolean;
}

/** The registry that a stack pushes to and its cluster pulls from. */
export interface Registry {
  /** Host, with a port where it is not 443. */
  readonly server: pulumi.Input<string>;
  /** Who pushes; absent where the registry asks nobody. */
  readonly push?: RegistryCredentials;
  /** Who the cluster pulls as, by the registry pull secret; absent where its nodes have an identity that may pull. */
  readonly pull?: RegistryCredentials;
}

/** The Docker engine that builds, where it is not the machine's default. */
export interface Builder {
  readonly provider?: docker.Provider;
  /** `DOCKER_HOST` of that engine. */
  readonly host?: string;
  /** Network of RUN instructions. Default: the engine's. */
  readonly network?: string;
  /** Default of `images.platform`, as os/architecture: that of the cluster's nodes. */
  readonly platform: string;
  /** Default of `images.baseImage`. */
  readonly baseImage?: string;
}

/** Where on Azure a cluster is, and what its workloads' identities are made from. */
export interface AzureSite {
  readonly subscriptionId: string;
  readonly tenantId: string;
  readonly resourceGroup: string;
  readonly location: string;
  /** URL of the issuer of the cluster's service account tokens. */
  readonly oidcIssuer: pulumi.Input<string>;
}

/** Where on Azure a server of the stack's own is made, beside its cluster. */
export interface ServerSite {
  readonly resourceGroup: {
    readonly name: string;
    readonly id: pulumi.Output<string>;
    readonly resource: pulumi.Resource;
  };
  readonly location: string;
  readonly tags: { readonly [name: string]: string };
  /** Text that names the stack: `shop-dev`. */
  readonly baseName: string;
  /** The network of the stack's own, where it has one, and the subnet of it that is left to a database. */
  readonly network?: { readonly id: pulumi.Output<string>; readonly databaseSubnetId: pulumi.Output<string> };
  /** Azure id of the public address from which the cluster's pods reach the internet. */
  readonly outboundAddressId: pulumi.Output<string>;
}

/** What a stack runs on: the same small thing from each kind of platform. */
export interface Platform {
  /** Choices that the next run must not change by mistake. */
  readonly fixed?: FixedChoices;
  readonly cluster: Cluster;
  readonly registry: Registry;
  readonly builder: Builder;
  /** Image of PostgreSQL that the cluster can run, where the platform comes with one. */
  readonly databaseImage?: string;
  /** Present where the cluster mounts secrets of Key Vaults. */
  readonly azure?: AzureSite;
  /** Present where the stack can have servers of its own on Azure. */
  readonly serverSite?: ServerSite;
  /** By workload: the identity by which it reads its secrets in a Key Vault. */
  readonly vaultAccess?: { readonly [workload: string]: VaultAccess };
}
