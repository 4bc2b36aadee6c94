import { z } from "zod";
import { azurePlatform } from "./azure.ts";
import { existingKeyVaults } from "./keyVault.ts";
import { dnsLabel, registryServer, secretString, stackName } from "./primitives.ts";

const localRegistry = z
  .strictObject({
    server: registryServer.describe(
      "Host and port of the registry, as both this machine and the cluster's nodes reach it.",
    ),
    username: z
      .string()
      .min(1, "must not be empty")
      .optional()
      .describe("User that may push and pull. Leave out for a registry without authentication."),
    password: secretString
      .optional()
      .describe("Its password: pulumi config set --secret --path slipway:platform.registry.password"),
  })
  .superRefine((registry, context) => {
    if (registry.username !== undefined && registry.password === undefined) {
      context.addIssue({
        code: "custom",
        path: ["password"],
        message: "is required with username",
        params: { hint: "Set it by: pulumi config set --secret --path slipway:platform.registry.password" },
      });
    }
    if (registry.password !== undefined && registry.username === undefined) {
      context.addIssue({ code: "custom", path: ["username"], message: "is required with password" });
    }
  });

/** A cluster and a registry that are there already: the embedded environment, kind, minikube, k3d, Docker Desktop. */
export const localPlatform = z
  .strictObject({
    kind: z.literal("local"),
    context: z
      .string()
      .min(1, "must not be empty")
      .optional()
      .describe(
        "kubeconfig context of your own cluster. Without it, the embedded environment of `npm start` is used.",
      ),
    kubeconfig: z
      .string()
      .min(1, "must not be empty")
      .optional()
      .describe(
        "Path of the kubeconfig that has the context, relative to the project's root. Default: the files in KUBECONFIG, else ~/.kube/config.",
      ),
    address: z
      .string()
      .min(1, "must not be empty")
      .default("127.0.0.1")
      .describe("Address at which the cluster's NodePorts answer."),
    registry: localRegistry.optional().describe("Registry of your own, required with context."),
  })
  .superRefine((platform, context) => {
    if (platform.context !== undefined && platform.registry === undefined) {
      context.addIssue({
        code: "custom",
        path: ["registry"],
        message: "is required with context",
        params: { hint: "Name a registry that this machine can push to and the cluster can pull from" },
      });
    }
    for (const key of ["kubeconfig", "registry"] as const) {
      if (platform.context === undefined && platform[key] !== undefined) {
        context.addIssue({
          code: "custom",
          path: ["context"],
          message: `is required with ${key}`,
          params: { hint: "Name the kubeconfig context of your cluster" },
        });
      }
    }
  });

/** Another stack's cluster and registry: a namespace of its own there, within seconds. */
export const sharedPlatform = z.strictObject({
  kind: z.literal("shared"),
  stack: stackName.describe(
    "The stack that provides the cluster and the registry, as organization/project/stack.",
  ),
  keyVaults: existingKeyVaults
    .optional()
    .describe("Key Vaults that secrets may be in, by name. The other stack must have the key too."),
});

/** What a stack runs on. */
export const platform = z.discriminatedUnion("kind", [localPlatform, azurePlatform, sharedPlatform]);

export type LocalPlatform = z.output<typeof localPlatform>;
export type SharedPlatform = z.output<typeof sharedPlatform>;
export type PlatformConfig = z.output<typeof platform>;

/** Whether it is the environment that `npm start` brings up, rather than a cluster of somebody's. */
export function isEmbedded(config: PlatformConfig): boolean {
  return config.kind === "local" && config.context === undefined;
}

export const namespace = dnsLabel;
