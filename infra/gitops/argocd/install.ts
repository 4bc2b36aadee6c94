import * as pulumi from "@pulumi/pulumi";
import type { ArgocdInstall } from "../../config/argocd.ts";
import { ownerLabel } from "../../workloads/labels.ts";
import { installController } from "../controller.ts";
import { KubernetesObject } from "../resource.ts";
import type { Manifest } from "./manifests.ts";
import { argocdNamespace } from "./names.ts";
import { customize, ssoSecretName } from "./settings.ts";

export interface ArgoCdArgs {
  /** The release's own manifests. */
  readonly manifests: readonly Manifest[];
  readonly images: ArgocdInstall["images"];
  readonly sso: ArgocdInstall["sso"];
  /** Lines of known_hosts of the repositories' servers. */
  readonly knownHosts: string | undefined;
  /** Labels of the stack that installs it. */
  readonly labels: { readonly [key: string]: string };
  readonly project: string;
  readonly stack: string;
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

/** Argo CD in its own namespace, from a release's official manifests. */
export class ArgoCd extends pulumi.ComponentResource {
  /** All of it: what needs Argo CD waits for these. */
  readonly objects: readonly pulumi.Resource[];

  constructor(name: string, args: ArgoCdArgs, opts?: pulumi.ComponentResourceOptions) {
    super("slipway:gitops:ArgoCd", name, {}, opts);
    const { manifests, images, sso, knownHosts, labels, project, stack } = args;
    const owner = ownerLabel({ project, stack });
    const settings = { images, sso, knownHosts, ownerLabel: owner };
    const namespace = { name: argocdNamespace, labels: { ...labels, ...owner } };
    const objects = installController(name, namespace, customize(manifests, settings), this);
    if (sso !== undefined) {
      const secret = new KubernetesObject(
        `${name}-sso`,
        {
          apiVersion: "v1",
          kind: "Secret",
          metadata: {
            name: ssoSecretName,
            namespace: argocdNamespace,
            labels: { "app.kubernetes.io/part-of": "argocd", ...owner },
          },
          data: pulumi.secret({ clientSecret: base64(sso.clientSecret) }),
        },
        { parent: this, dependsOn: objects.slice(0, 1) },
      );
      objects.push(secret);
    }
    this.objects = objects;
    this.registerOutputs({});
  }
}
