import { z } from "zod";
import { imageReference, secretString } from "./primitives.ts";

/** The newest supported release when this was written. */
export const defaultArgocdVersion = "v3.6.1";

export const argocdInstall = z.strictObject({
  mode: z
    .enum(["core", "full", "ha"])
    .default("core")
    .describe("core: controllers alone. full: with the API server and its UI. ha: full, with replicas."),
  version: z
    .string()
    .regex(/^v\d+\.\d+\.\d+$/, "must be a release of Argo CD, such as v3.6.1")
    .optional()
    .describe(
      `Release whose manifests are installed. Default: ${defaultArgocdVersion}; the embedded environment has its own.`,
    ),
  manifests: z
    .string()
    .min(1, "must not be empty")
    .optional()
    .describe(
      "File with the release's manifests, relative to the project's root, for machines that do not reach its URL.",
    ),
  images: z
    .strictObject({
      argocd: imageReference.optional().describe("In the place of the release's Argo CD image."),
      redis: imageReference.optional().describe("In the place of the release's Redis image."),
      dex: imageReference.optional().describe("In the place of the release's Dex image."),
      haproxy: imageReference
        .optional()
        .describe("In the place of the release's HAProxy image, in the mode ha."),
    })
    .default({})
    .describe("Images from a registry of your own."),
  sso: z
    .strictObject({
      url: z.url({ protocol: /^https$/, error: "must be an https URL" }).describe("URL of Argo CD's UI."),
      issuer: z
        .url({ protocol: /^https$/, error: "must be an https URL" })
        .describe("OpenID Connect issuer."),
      clientId: z.string().min(1, "must not be empty"),
      clientSecret: secretString.describe(
        "pulumi config set --secret --path slipway:delivery.install.sso.clientSecret",
      ),
      admins: z
        .array(z.string().min(1, "must be a group's name or object id"))
        .default([])
        .describe("Groups that may administer Argo CD."),
    })
    .optional()
    .describe("Sign-in by OpenID Connect; the built-in account admin is disabled with it."),
});

const syncWindow = z.strictObject({
  kind: z.enum(["allow", "deny"]),
  schedule: z
    .string()
    .regex(/^\S+( \S+){4}$/, "must be a cron schedule of five fields")
    .describe("When the window opens, as a cron schedule in UTC."),
  duration: z.string().regex(/^\d+[mh]$/, 'must be minutes or hours, such as "90m" or "8h"'),
  manualSync: z
    .boolean()
    .default(true)
    .describe("Whether people may sync outside it by hand. Default: true."),
});

/** Argo CD as the engine of a stack that is delivered by GitOps. */
export const argocdEngine = {
  install: argocdInstall
    .superRefine(({ mode, sso }, context) => {
      if (mode === "core" && sso !== undefined)
        context.addIssue({
          code: "custom",
          path: ["sso"],
          message: "needs the API server, which the mode core leaves out",
          params: { hint: "Set slipway:delivery.install.mode to full or ha" },
        });
    })
    .nullable()
    .optional()
    .describe(
      "How this stack installs Argo CD. null: it is in the cluster already. Default: installed, but on another stack's platform.",
    ),
  applications: z
    .enum(["own", "set"])
    .default("own")
    .describe(
      "own: each stack makes its Application. set: one ApplicationSet, of the stack that installs Argo CD, makes those of all stacks in the repository. Default: own.",
    ),
  syncWindows: z.array(syncWindow).default([]).describe("When Argo CD may, or may not, sync this stack."),
};

export type ArgocdInstall = z.output<typeof argocdInstall>;
export type SyncWindow = z.output<typeof syncWindow>;
