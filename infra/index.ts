import { application } from "./application.ts";
import { loadStack } from "./config/load.ts";
import { loadControllers } from "./controllers.ts";
import { checkDatabase } from "./database/check.ts";
import { keepsVolume, provideDatabases } from "./database/index.ts";
import { checkVolume } from "./database/volume.ts";
import { deliver } from "./delivery/index.ts";
import { imageOutputs, provideImages } from "./images/index.ts";
import { observe } from "./observability/index.ts";
import { providePlatform, sharePlatform } from "./platform/index.ts";
import { StackNamespace } from "./platform/namespace.ts";
import { provideRollouts } from "./rollouts/index.ts";
import { checkApplication } from "./workloads/check.ts";
import { secretNames } from "./workloads/release.ts";

const stack = loadStack(Object.keys(application));
checkApplication(application, stack.config);
checkDatabase(stack.config.database);
const controllers = await loadControllers(application, stack);

const platform = await providePlatform(application, stack);
await checkVolume(application, stack, platform.cluster);
const stackNamespace = new StackNamespace(
  "stack",
  {
    namespace: stack.config.namespace,
    project: stack.project,
    stack: stack.name,
    registry: platform.registry,
    quota: stack.config.quota,
    deployers: stack.config.deployers,
    expires: stack.config.expires,
    keep: keepsVolume(application, stack),
  },
  { provider: platform.cluster.provider },
);
const provided = await provideImages(application, stack, platform);
const names = secretNames(application, stack.config, { project: stack.project, stack: stack.name });
const databases = await provideDatabases({ application, stack, platform, namespace: stackNamespace });
const delivery = await deliver({
  application,
  stack,
  platform,
  namespace: stackNamespace,
  images: provided,
  secretNames: names,
  databases,
  controllers,
  rollouts: await provideRollouts(controllers, stack, platform),
});
observe(application, stack, platform, stackNamespace);

/** URL of each workload. */
export const urls = delivery.urls;
/** What was committed where, for a stack that is delivered by GitOps; else null, for Pulumi warns of what is undefined. */
export const release = delivery.release ?? null;
/** Image of each workload as `name@sha256:…`, with its build number. */
export const images = imageOutputs(provided);
/** Namespace that the workloads run in. */
export const namespace = stackNamespace.namespace;
/** What else a rendering of the stack takes, besides the URLs and images: what only a deployment knows. */
export const rendering = {
  pullSecret: stackNamespace.pullSecret,
  secretNames: names,
  vaultAccess: platform.vaultAccess,
  databaseImage: platform.databaseImage,
};
/** A kubeconfig for the stack's cluster. Secret. */
export const kubeconfig = platform.cluster.kubeconfig;

const shared = sharePlatform(platform);

/** What other stacks need to run on this one's cluster and registry. Secret. */
export { shared as platform };
