/** A resource as it is registered: what a rule looks at. */
export interface CheckedResource {
  /** Pulumi's type token, such as `kubernetes:apps/v1:Deployment`. */
  readonly type: string;
  readonly props: Inputs;
}

/** A resource's inputs, of every shape: a rule looks at what is there and takes nothing for granted. */
// biome-ignore lint/suspicious/noExplicitAny: inputs of every provider
type Inputs = Record<string, any>;

/** A rule that every resource of every stack keeps. */
export interface HouseRule {
  /** Kebab case, as in Pulumi's messages. */
  readonly name: string;
  readonly description: string;
  /** A mandatory rule stops the run, an advisory one is told. */
  readonly level: "mandatory" | "advisory";
  /** What is wrong with a resource, a sentence each; nothing for a resource that the rule is not about. */
  readonly violations: (resource: CheckedResource) => readonly string[];
}

/**
 * Namespaces of software that comes with manifests of its own, pinned by its release: the rules for pods are for
 * the application's.
 */
const platformNamespaces = ["argo-rollouts", "argocd", "flux-system", "monitoring"];

/** Azure's types that take no tags. One that is not listed must have them, so that a new type is looked at. */
const untaggable = [
  "azure-native:authorization:RoleAssignment",
  "azure-native:containerregistry:ScopeMap",
  "azure-native:containerregistry:Token",
  "azure-native:containerservice:MaintenanceConfiguration",
  "azure-native:dbforpostgresql:Configuration",
  "azure-native:dbforpostgresql:FirewallRule",
  "azure-native:managedidentity:FederatedIdentityCredential",
  "azure-native:monitor:DataCollectionRuleAssociation",
];

const kubernetesKind = /^kubernetes:(?:[^:]+):(\w+)$/;

interface PodTemplate {
  readonly kind: string;
  readonly spec: Inputs;
}

/** The pod that a Kubernetes resource makes, if it makes one. */
function podOf({ type, props }: CheckedResource): PodTemplate | undefined {
  const kind = kubernetesKind.exec(type)?.[1];
  if (kind === undefined || platformNamespaces.includes(props.metadata?.namespace)) return undefined;
  const template = kind === "CronJob" ? props.spec?.jobTemplate?.spec?.template : props.spec?.template;
  const spec = kind === "Pod" ? props.spec : template?.spec;
  return Array.isArray(spec?.containers) ? { kind, spec } : undefined;
}

/** One sentence for each container of a resource's pods for which there is one. */
function perContainer(sentence: (container: Inputs, kind: string) => string | undefined) {
  return (resource: CheckedResource): string[] => {
    const pod = podOf(resource);
    if (pod === undefined) return [];
    return [...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap((container: Inputs) => {
      const wrong = sentence(container, pod.kind);
      return wrong === undefined ? [] : [`container ${container.name}: ${wrong}`];
    });
  };
}

/** Whether a resource belongs to a stack that serves people. */
const isProduction = ({ props }: CheckedResource) => props.tags?.environment === "production";

/** The sentence, where a resource of this type breaks the rule. */
function on(type: string, broken: (resource: CheckedResource) => boolean, sentence: string) {
  return (resource: CheckedResource): string[] =>
    resource.type === type && broken(resource) ? [sentence] : [];
}

const registry = "azure-native:containerregistry:Registry";
const cluster = "azure-native:containerservice:ManagedCluster";

/** The house rules. The policy pack holds every resource to them, and so do the unit tests. */
export const houseRules: readonly HouseRule[] = [
  {
    name: "image-digest",
    description: "What runs is named by its digest.",
    level: "mandatory",
    violations: perContainer(({ image }) =>
      /^[^@\s]+@sha256:[0-9a-f]{64}$/.test(image)
        ? undefined
        : `image ${image} is not a digest: name it as name@sha256:…`,
    ),
  },
  {
    name: "image-tag",
    description: "An image is pushed under a tag of its own, never as latest.",
    level: "mandatory",
    violations: on(
      "docker:index/image:Image",
      ({ props }) => !/:(?!latest$)[\w][\w.-]*$/.test(props.imageName),
      "imageName has no tag or is :latest: tag it with the build number",
    ),
  },
  {
    name: "container-resources",
    description: "A container requests CPU and memory, and has a limit of memory.",
    level: "mandatory",
    violations: perContainer(({ resources }) => {
      const missing = [
        ...(resources?.requests?.cpu === undefined ? ["requests.cpu"] : []),
        ...(resources?.requests?.memory === undefined ? ["requests.memory"] : []),
        ...(resources?.limits?.memory === undefined ? ["limits.memory"] : []),
      ];
      return missing.length === 0 ? undefined : `has no resources.${missing.join(", resources.")}`;
    }),
  },
  {
    name: "container-probes",
    description: "A container that serves has a readiness and a liveness probe.",
    level: "mandatory",
    violations: (resource) => {
      const pod = podOf(resource);
      // What runs to its end is not asked whether it serves.
      if (pod === undefined || ["Job", "CronJob", "Pod"].includes(pod.kind)) return [];
      return pod.spec.containers.flatMap(({ name, readinessProbe, livenessProbe }: Inputs) => [
        ...(readinessProbe === undefined ? [`container ${name}: has no readinessProbe`] : []),
        ...(livenessProbe === undefined ? [`container ${name}: has no livenessProbe`] : []),
      ]);
    },
  },
  {
    name: "azure-tags",
    description: "Everything on Azure names its project, its stack and its environment.",
    level: "mandatory",
    violations: ({ type, props }) => {
      if (!type.startsWith("azure-native:") || untaggable.includes(type)) return [];
      return ["project", "stack", "environment"]
        .filter((tag) => props.tags?.[tag] === undefined)
        .map((tag) => `has no tag ${tag}`);
    },
  },
  {
    name: "registry-no-anonymous-pull",
    description: "A registry answers nobody who has not signed in.",
    level: "mandatory",
    violations: on(registry, ({ props }) => props.anonymousPullEnabled === true, "anonymous pull is on"),
  },
  {
    name: "registry-no-admin",
    description: "A registry's admin user, who may push everything, is off.",
    level: "advisory",
    violations: on(registry, ({ props }) => props.adminUserEnabled === true, "the admin user is on"),
  },
  {
    name: "production-registry-no-admin",
    description: "In production a registry's admin user is off.",
    level: "mandatory",
    violations: on(
      registry,
      (resource) => isProduction(resource) && resource.props.adminUserEnabled === true,
      "the admin user is on in production: set slipway:platform.registry.pull.kind to token or kubeletIdentity",
    ),
  },
  {
    name: "production-no-local-accounts",
    description: "In production a cluster's only users are those of Entra ID.",
    level: "mandatory",
    violations: on(
      cluster,
      (resource) => isProduction(resource) && resource.props.disableLocalAccounts !== true,
      "local accounts are on in production: set slipway:platform.cluster.localAccounts to false",
    ),
  },
  {
    name: "production-uptime-sla",
    description: "In production the control plane has an uptime SLA.",
    level: "advisory",
    violations: on(
      cluster,
      (resource) => isProduction(resource) && resource.props.sku?.tier === "Free",
      "the tier Free has no uptime SLA: set slipway:platform.cluster.tier to Standard or Premium",
    ),
  },
  {
    name: "production-api-server-access",
    description: "In production not everyone reaches the API server.",
    level: "advisory",
    violations: on(
      cluster,
      (resource) => {
        const access = resource.props.apiServerAccessProfile;
        const open = (access?.authorizedIPRanges ?? []).length === 0 && access?.enablePrivateCluster !== true;
        return isProduction(resource) && open;
      },
      "the API server answers every address: set slipway:platform.cluster.apiServerAccess to authorizedIpRanges or private",
    ),
  },
];
