import { z } from "zod";
import { argocdEngine } from "./argocd.ts";
import { fluxEngine } from "./flux.ts";
import { isEmbedded, type PlatformConfig } from "./platform.ts";
import { secretString } from "./primitives.ts";
import { repository } from "./repository.ts";

const atomic = z
  .boolean()
  .default(false)
  .describe("Put the release before back when one does not get to run, and fail all the same.");

const push = z.strictObject({
  kind: z.literal("push").describe("Pulumi applies them."),
  atomic,
  handover: z
    .boolean()
    .default(false)
    .describe(
      "Set for one deployment between push and gitops, in either direction: objects that are there are taken over, and none is deleted when Pulumi forgets it.",
    ),
});

/** What every GitOps engine needs. */
const gitops = {
  kind: z
    .literal("gitops")
    .describe("They are committed to a repository, from which the cluster syncs them."),
  repository: repository
    .optional()
    .describe("The manifests repository. Default: the Git server of the embedded environment."),
  author: z
    .strictObject({
      name: z.string().regex(/^[^<>\n]+$/, "must be a name without < and >"),
      email: z.email("must be an e-mail address"),
    })
    .default({ name: "Slipway", email: "slipway@localhost.localdomain" })
    .describe("Author of the commits."),
  signingKey: secretString
    .optional()
    .describe(
      "Private SSH key to sign the commits with: pulumi config set --secret --path slipway:delivery.signingKey",
    ),
  atomic,
  prOnly: z
    .boolean()
    .default(false)
    .describe(
      "Push each change to a branch of its own, to be reviewed, rather than to the branch that is synced.",
    ),
  timeoutSeconds: z
    .int("must be a whole number")
    .min(10, "must be 10 or more")
    .max(7200, "must be 7200 or less")
    .default(900)
    .describe(
      "How long a deployment waits until the cluster has synced its commit and is healthy. Default: 900.",
    ),
};

/** Whether a deployment takes over objects that another owner has made. */
export function takesOver(config: DeliveryConfig): boolean {
  return config.kind === "push" && config.handover;
}

/** How the workloads' objects get into the cluster. */
export const delivery = z.discriminatedUnion("kind", [
  push,
  z.discriminatedUnion("engine", [
    z.strictObject({
      ...gitops,
      engine: z.literal("argocd").describe("Argo CD syncs them."),
      ...argocdEngine,
    }),
    z.strictObject({
      ...gitops,
      engine: z.literal("flux").describe("Flux syncs them."),
      ...fluxEngine,
    }),
  ]),
]);

export type DeliveryConfig = z.output<typeof delivery>;
export type PushConfig = Extract<DeliveryConfig, { kind: "push" }>;
export type GitopsConfig = Extract<DeliveryConfig, { kind: "gitops" }>;
export type ArgocdConfig = Extract<GitopsConfig, { engine: "argocd" }>;

/** Refuses a stack that has no repository to deliver through. */
export function checkDelivery(
  platform: PlatformConfig,
  config: DeliveryConfig,
  context: z.RefinementCtx,
): void {
  if (config.kind === "push" || config.repository !== undefined || isEmbedded(platform)) return;
  context.addIssue({
    code: "custom",
    path: ["delivery", "repository"],
    message: "is required: only the embedded environment has a Git server of its own",
    params: { hint: "Give it url, and ssh or token" },
  });
}
