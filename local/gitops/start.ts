import { join } from "node:path";
import { stringify } from "yaml";
import { applyObjects, awaitDeployment, readObject } from "../cluster.ts";
import { writeFileAtomic } from "../files.ts";
import type { Settings } from "../settings.ts";
import { argocdTools } from "../toolFamilies.ts";
import { provideTools, type Tools } from "../tools.ts";
import { type GitopsDescriptor, gitopsDescriptorPath, gitopsDescriptorSchema } from "./descriptor.ts";
import { gitopsImages, loadGitopsImages } from "./images.ts";
import { provideGitKeys } from "./keys.ts";
import { gitServer, gitServerHost, gitServerObjects, gitServerPort } from "./objects.ts";

const user = "git";
const path = "manifests.git";

/** Builds what delivery by GitOps needs of the environment, or looks that it is there. */
export async function provideArgocd(settings: Settings, onLine: (line: string) => void): Promise<Tools> {
  return provideTools(settings, argocdTools, onLine);
}

/** Runs the Git server in the cluster, and tells programs how to deliver through it. */
export async function startGitServer(
  settings: Settings,
  kubernetes: Tools,
  argocd: Tools,
  onLine: (line: string) => void,
): Promise<GitopsDescriptor> {
  const [keys] = await Promise.all([provideGitKeys(settings), loadGitopsImages(settings, argocd, onLine)]);
  const images = gitopsImages(argocd);
  onLine("Git server");
  const objects = gitServerObjects(settings, images.gitServer);
  await applyObjects(settings, kubernetes, objects.map((object) => stringify(object)).join("---\n"));
  await awaitDeployment(settings, gitServer);
  const nodePort = await readNodePort(settings);
  const descriptor = gitopsDescriptorSchema.parse({
    repository: {
      url: `ssh://${user}@${gitServerHost}:${gitServerPort}/${path}`,
      pushUrl: `ssh://${user}@127.0.0.1:${nodePort}/${path}`,
      knownHosts: `[${gitServerHost}]:${gitServerPort} ${keys.host}\n[127.0.0.1]:${nodePort} ${keys.host}\n`,
      pushKey: keys.push,
      pullKey: keys.pull,
    },
    argocd: {
      manifests: {
        core: join(argocd.share, "core-install.yaml"),
        full: join(argocd.share, "install.yaml"),
      },
      images: { argocd: images.argocd, redis: images.redis, dex: images.argocd },
    },
  } satisfies GitopsDescriptor);
  writeFileAtomic(gitopsDescriptorPath(settings.stateDir), `${JSON.stringify(descriptor, undefined, 2)}\n`);
  return descriptor;
}

async function readNodePort(settings: Settings): Promise<number> {
  const { namespace, name } = gitServer;
  const service = (await readObject(settings, `/api/v1/namespaces/${namespace}/services/${name}`)) as {
    spec: { ports: { nodePort: number }[] };
  };
  return service.spec.ports[0]?.nodePort ?? 0;
}
