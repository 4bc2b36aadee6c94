import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readDescriptor } from "../../local/descriptor.ts";
import { resolveSettings } from "../../local/settings.ts";
import { kubernetesTools } from "../../local/toolFamilies.ts";
import { provideTools } from "../../local/tools.ts";
import { type Clients, clients } from "../support/cluster.ts";
import { startGitops } from "../support/gitops.ts";
import { GitopsStack } from "../support/gitopsStack.ts";

const sso = {
  url: "https://argocd.example",
  issuer: "https://login.example",
  clientId: "argocd",
  clientSecret: "of-the-client-1f0c",
  admins: ["platform-team"],
};
let gitops: GitopsStack;
let kube: Clients;
let kubectl: string;

const withInstall = (install: object) => ({ kind: "gitops", engine: "argocd", install });

beforeAll(async () => {
  await startGitops();
  kube = clients();
  const tools = await provideTools(resolveSettings(process.env), kubernetesTools, () => {});
  kubectl = `${tools.bin}/kubectl`;
  gitops = new GitopsStack("test-gitops-full", { api: 30892, frontend: 30891 });
});

afterAll(() => gitops.remove());

async function ask(...args: string[]): Promise<string> {
  const { all } = await execa(kubectl, ["--kubeconfig", readDescriptor().kubeconfig, ...args], {
    all: true,
    reject: false,
  });
  return all;
}

/** Signs in by Argo CD's own program. @returns what that says */
const signIn = (password: string) =>
  ask(
    ...["--namespace", "argocd", "exec", "deployment/argocd-server", "--"],
    ...["argocd", "login", "localhost:8080", "--insecure", "--config", "/tmp/argocd-config"],
    ...["--username", "admin", "--password", password],
  );

let password: string;

test("the mode full serves Argo CD's API, to which admin signs in by the password in the cluster", async () => {
  gitops.configure("Full", {}, withInstall({ mode: "full" }));
  await gitops.deliver();
  await gitops.greets("Full");
  const { data } = await kube.core.readNamespacedSecret({
    namespace: "argocd",
    name: "argocd-initial-admin-secret",
  });
  password = Buffer.from(data?.password ?? "", "base64").toString();
  expect(await signIn(password)).toContain("'admin:login' logged in successfully");
});

test("with single sign-on, admin is let in no more, and people are sent to the issuer", async () => {
  gitops.configure("Signed", {}, withInstall({ mode: "full", sso }));
  const output = await gitops.deliver();
  await gitops.greets("Signed");
  await expect.poll(() => signIn(password), { timeout: 60_000, interval: 1000 }).toMatch(/disabled|invalid/i);
  const service = "/api/v1/namespaces/argocd/services/https:argocd-server:443/proxy";
  const settings = await ask("get", "--raw", `${service}/api/v1/settings`);
  expect(JSON.parse(settings)).toMatchObject({
    url: sso.url,
    userLoginsDisabled: true,
    oidcConfig: { name: "SSO", issuer: sso.issuer, clientID: sso.clientId },
  });
  expect(settings + output).not.toContain(sso.clientSecret);
});

test("core again takes the API server away, and goes on delivering", async () => {
  gitops.configure("Core", {}, withInstall({ mode: "core" }));
  await gitops.deliver();
  await gitops.greets("Core");
  const { items } = await kube.apps.listNamespacedDeployment({ namespace: "argocd" });
  expect(items.map(({ metadata }) => metadata?.name)).not.toContain("argocd-server");
});

test("the mode ha is refused before anything is changed: it needs more nodes than one", async () => {
  gitops.configure("Core", {}, withInstall({ mode: "ha" }));
  expect(await gitops.deliverInVain()).toMatch(/slipway:delivery\.install\.mode.*"ha".*needs three nodes/s);
});
