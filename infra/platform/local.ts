import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { type Descriptor, readDescriptor } from "../../local/descriptor.ts";
import type { LocalPlatform } from "../config/platform.ts";
import { type TakeOver, takesOver } from "../database/kept.ts";
import { Fault } from "../fault.ts";
import { type KubeconfigContext, kubeconfigFiles, readKubeconfigContext } from "./kubeconfig.ts";
import type { Builder, Platform } from "./platform.ts";
import { clusterProvider } from "./provider.ts";
import { requireCluster, requireRegistry } from "./reachable.ts";
import { clusterReader } from "./reader.ts";

interface Target {
  readonly kubeconfig: KubeconfigContext;
  readonly registry: {
    readonly server: string;
    readonly username?: string | undefined;
    readonly password?: string | undefined;
  };
  readonly builder: () => Omit<Builder, "platform">;
  readonly databaseImage?: string;
  /** The cluster is gone for good once it does not answer: what state remembers of it may be forgotten. */
  readonly disposable: boolean;
  readonly hint: string;
}

function environment(): Descriptor {
  try {
    return readDescriptor();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new pulumi.RunError(error.message);
  }
}

/** The environment that `npm start` brings up. */
function embedded(): Target {
  const descriptor = environment();
  return {
    kubeconfig: readKubeconfigContext([descriptor.kubeconfig], descriptor.context),
    registry: descriptor.registry,
    builder: () => ({
      provider: new docker.Provider("docker", { host: descriptor.docker.host }),
      host: descriptor.docker.host,
      network: descriptor.docker.network,
      baseImage: descriptor.baseImage,
    }),
    databaseImage: descriptor.postgresImage,
    disposable: true,
    hint: "Start the embedded environment again by npm start",
  };
}

/** A cluster and registry of the user's own. The schema makes sure that both are named. */
function own({ context, kubeconfig, registry }: LocalPlatform): Target {
  return {
    kubeconfig: readKubeconfigContext(kubeconfigFiles(kubeconfig, process.env), context as string),
    registry: registry as NonNullable<typeof registry>,
    builder: () => ({}),
    disposable: false,
    hint: "Check that it runs, and slipway:platform in the stack's file",
  };
}

/**
 * A cluster and a registry that exist already.
 *
 * @throws InputError when either does not answer or refuses the credentials
 */
export async function localPlatform(config: LocalPlatform, context: TakeOver): Promise<Platform> {
  const { kubeconfig, registry, builder, databaseImage, disposable, hint } =
    config.context === undefined ? embedded() : own(config);
  const { server, username, password } = registry;
  const credentials = username === undefined || password === undefined ? undefined : { username, password };
  await Promise.all([
    requireCluster("slipway:platform.context", kubeconfig.server, hint),
    requireRegistry("slipway:platform.registry", server, credentials, hint),
  ]);
  const content = pulumi.secret(kubeconfig.content);
  const read = clusterReader(kubeconfig.content);
  const user =
    credentials === undefined
      ? undefined
      : { username: credentials.username, password: pulumi.secret(credentials.password) };
  return {
    cluster: {
      provider: clusterProvider("cluster", {
        kubeconfig: content,
        clusterIdentifier: kubeconfig.clusterIdentifier,
        disposable,
        takeOver: await takesOver({ read, disposable }, context),
      }),
      kubeconfig: content,
      clusterIdentifier: kubeconfig.clusterIdentifier,
      disposable,
      read,
      nodeAddress: config.address,
    },
    registry: { server, ...(user === undefined ? {} : { push: user, pull: user }) },
    ...(databaseImage === undefined ? {} : { databaseImage }),
    builder: { ...builder(), platform: `linux/${process.arch === "arm64" ? "arm64" : "amd64"}` },
  };
}
