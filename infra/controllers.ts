import { readGitopsDescriptor } from "../local/gitops/descriptor.ts";
import { readRolloutsDescriptor } from "../local/rollouts.ts";
import { type ArgocdInstall, argocdInstall } from "./config/argocd.ts";
import { InputError } from "./config/error.ts";
import { type FluxInstall, fluxInstall } from "./config/flux.ts";
import type { Stack } from "./config/load.ts";
import { isEmbedded } from "./config/platform.ts";
import { type RolloutsInstall, rolloutsInstall } from "./config/strategy.ts";
import type { Manifest } from "./gitops/manifests.ts";
import type { Application } from "./workloads/definition.ts";
import { isProgressive } from "./workloads/release.ts";

type StackConfig = Stack["config"];

/** A controller that the program installs: how, and its official manifests. */
export interface Controller<Install> {
  readonly install: Install;
  readonly manifests: readonly Manifest[];
}

/** The controllers that a stack installs. Each is absent where nothing needs it, or it is in the cluster already. */
export interface Controllers {
  readonly argocd?: Controller<ArgocdInstall> | undefined;
  readonly flux?: Controller<FluxInstall> | undefined;
  readonly rollouts?: Controller<RolloutsInstall> | undefined;
}

/** What is configured, or by default what another stack has not installed on its platform; undefined where it is there. */
function chosen<Install>(
  configured: Install | null | undefined,
  byDefault: () => Install,
  { platform }: StackConfig,
): Install | undefined {
  if (configured === undefined) return platform.kind === "shared" ? undefined : byDefault();
  return configured ?? undefined;
}

/** Whether a release is named: the embedded environment's own manifests and images are those of another one. */
function namesRelease({
  version,
  manifests,
}: {
  readonly version?: string | undefined;
  readonly manifests?: string | undefined;
}): boolean {
  return version !== undefined || manifests !== undefined;
}

function argocdOf(install: ArgocdInstall, config: StackConfig): ArgocdInstall {
  if (!isEmbedded(config.platform)) return install;
  const { mode } = install;
  if (mode === "ha")
    throw new InputError({
      key: "slipway:delivery.install.mode",
      value: mode,
      rule: "needs three nodes, and the embedded environment has one",
      hint: "Set it to core or full in this stack",
    });
  if (namesRelease(install)) return install;
  const { manifests, images } = readGitopsDescriptor().argocd;
  return { ...install, manifests: manifests[mode], images: { ...images, ...install.images } };
}

async function loadArgocd(config: StackConfig): Promise<Controller<ArgocdInstall> | undefined> {
  const { delivery } = config;
  if (delivery.kind !== "gitops" || delivery.engine !== "argocd") return undefined;
  const configured = chosen(delivery.install, () => argocdInstall.parse({}), config);
  if (configured === undefined) return undefined;
  const install = argocdOf(configured, config);
  const { loadManifests } = await import("./gitops/argocd/manifests.ts");
  return { install, manifests: await loadManifests(install) };
}

async function loadFlux(config: StackConfig): Promise<Controller<FluxInstall> | undefined> {
  const { delivery } = config;
  if (delivery.kind !== "gitops" || delivery.engine !== "flux") return undefined;
  const install = chosen(delivery.install, () => fluxInstall.parse({}), config);
  if (install === undefined) return undefined;
  const { loadFluxManifests } = await import("./gitops/flux/install.ts");
  return { install, manifests: await loadFluxManifests(install) };
}

async function loadRollouts(
  application: Application,
  config: StackConfig,
): Promise<Controller<RolloutsInstall> | undefined> {
  if (!isProgressive(application, config)) return undefined;
  const configured = chosen(config.rollouts.install, () => rolloutsInstall.parse({}), config);
  if (configured === undefined) return undefined;
  const isOwn = isEmbedded(config.platform) && !namesRelease(configured);
  const install = isOwn ? { ...configured, ...readRolloutsDescriptor() } : configured;
  const { loadRolloutsManifests } = await import("./rollouts/manifests.ts");
  return { install, manifests: await loadRolloutsManifests(install) };
}

/**
 * Reads the manifests of the controllers that a stack installs, before anything is made.
 *
 * @throws InputError when one cannot be installed as configured, or its release can neither be downloaded nor read
 */
export async function loadControllers(application: Application, { config }: Stack): Promise<Controllers> {
  const [argocd, flux, rollouts] = await Promise.all([
    loadArgocd(config),
    loadFlux(config),
    loadRollouts(application, config),
  ]);
  return { argocd, flux, rollouts };
}
