import { homedir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { kubeconfigFiles, readKubeconfigContext } from "../../infra/platform/kubeconfig.ts";
import { root } from "../../infra/projectRoot.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");

interface Options {
  readonly current?: string;
  readonly token?: string;
  readonly server?: string;
  readonly ca?: string;
}

/** A kubeconfig with the contexts dev and prod, each with a cluster and a user of its own. */
function kubeconfig({
  current = "prod",
  token = "dev-token",
  server = "https://dev.example:6443",
  ca = "dev CA",
}: Options = {}) {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": current,
    clusters: [
      {
        name: "dev-cluster",
        cluster: { server, "certificate-authority-data": base64(ca), "tls-server-name": "dev" },
      },
      { name: "prod-cluster", cluster: { server: "https://prod.example" } },
    ],
    users: [
      { name: "dev-user", user: { token } },
      { name: "prod-user", user: { token: "prod-token" } },
    ],
    contexts: [
      { name: "dev", context: { cluster: "dev-cluster", user: "dev-user", namespace: "team" } },
      { name: "prod", context: { cluster: "prod-cluster", user: "prod-user" } },
    ],
  });
}

function read(text: string, context = "dev") {
  return readKubeconfigContext([join(temporaryDirectory({ config: text }), "config")], context);
}

test("the context that is named counts, not the file's current one", () => {
  const { content, server } = read(kubeconfig({ current: "prod" }));
  expect(parse(content)["current-context"]).toBe("dev");
  expect(server).toBe("https://dev.example:6443");
});

test("everything of the context is kept, and nothing of the others", () => {
  const { content } = read(kubeconfig());
  expect(parse(content)).toEqual({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "dev",
    clusters: [
      {
        name: "dev-cluster",
        cluster: {
          server: "https://dev.example:6443",
          "certificate-authority-data": base64("dev CA"),
          "tls-server-name": "dev",
        },
      },
    ],
    users: [{ name: "dev-user", user: { token: "dev-token" } }],
    contexts: [{ name: "dev", context: { cluster: "dev-cluster", user: "dev-user", namespace: "team" } }],
  });
  expect(content).not.toContain("prod");
});

test("files that it names are read into it, relative ones from beside it", () => {
  const elsewhere = temporaryDirectory({ "client.key": "the key" });
  const directory = temporaryDirectory({
    "ca.crt": "the CA",
    "pki/client.crt": "the certificate",
    config: stringify({
      clusters: [{ name: "c", cluster: { server: "https://c.example", "certificate-authority": "ca.crt" } }],
      users: [
        {
          name: "u",
          user: { "client-certificate": "pki/client.crt", "client-key": join(elsewhere, "client.key") },
        },
      ],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    }),
  });
  const { content } = readKubeconfigContext([join(directory, "config")], "x");
  expect(parse(content).clusters[0].cluster).toEqual({
    server: "https://c.example",
    "certificate-authority-data": base64("the CA"),
  });
  expect(parse(content).users[0].user).toEqual({
    "client-certificate-data": base64("the certificate"),
    "client-key-data": base64("the key"),
  });
});

test("the cluster's identifier stays when only the client's credentials change", () => {
  expect(read(kubeconfig({ token: "rotated" })).clusterIdentifier).toBe(read(kubeconfig()).clusterIdentifier);
});

test.each<[what: string, options: Options]>([
  ["address", { server: "https://other.example:6443" }],
  ["certificate authority", { ca: "another CA" }],
])("the cluster's identifier changes with its %s", (_, options) => {
  expect(read(kubeconfig(options)).clusterIdentifier).not.toBe(read(kubeconfig()).clusterIdentifier);
});

test("the first file that has the context counts, and files that are not there are passed over", () => {
  const directory = temporaryDirectory({
    one: stringify({ contexts: [] }),
    two: kubeconfig({ token: "second" }),
    three: kubeconfig({ token: "third" }),
  });
  const files = ["none", "one", "two", "three"].map((name) => join(directory, name));
  expect(parse(readKubeconfigContext(files, "dev").content).users[0].user.token).toBe("second");
});

test("a context that is missing is refused with the files and the contexts that they have", () => {
  const directory = temporaryDirectory({
    one: kubeconfig(),
    two: stringify({ contexts: [{ name: "kind", context: {} }] }),
  });
  const files = [join(directory, "one"), join(directory, "two")];
  expect(() => readKubeconfigContext(files, "staging")).toThrow(
    `slipway:platform.context = "staging": is not in ${files.join(", ")}. The contexts there are: dev, prod, kind.`,
  );
});

test("a kubeconfig that is missing is said to be, with the key that names one", () => {
  const file = join(temporaryDirectory(), "config");
  expect(() => readKubeconfigContext([file], "dev")).toThrow(
    `slipway:platform.context = "dev": is not in ${file}. No kubeconfig was found there: set slipway:platform.kubeconfig.`,
  );
});

test.each([
  ["cluster", { clusters: [] }],
  ["user", { users: [] }],
])("a context whose %s is missing is refused", (what, without) => {
  const directory = temporaryDirectory({ config: stringify({ ...parse(kubeconfig()), ...without }) });
  const file = join(directory, "config");
  expect(() => readKubeconfigContext([file], "dev")).toThrow(
    `slipway:platform.context = "dev": names a ${what} that ${file} does not have.`,
  );
});

test.each<[rule: string, path: string | undefined, env: NodeJS.ProcessEnv, files: string[]]>([
  ["the configured path comes before KUBECONFIG", "/etc/k", { KUBECONFIG: "/a" }, ["/etc/k"]],
  ["~ is the home directory", "~/k", {}, [join(homedir(), "k")]],
  ["KUBECONFIG may name several files", undefined, { KUBECONFIG: "/a::/b" }, ["/a", "/b"]],
  ["a relative path is one of the project's root", "./k", {}, [join(root, "k")]],
  ["so is one of KUBECONFIG", undefined, { KUBECONFIG: "k:/b" }, [join(root, "k"), "/b"]],
  ["~/.kube/config is the default", undefined, { KUBECONFIG: "" }, [join(homedir(), ".kube/config")]],
])("%s", (_, path, env, files) => {
  expect(kubeconfigFiles(path, env)).toEqual(files);
});

test("a kubeconfig that is not YAML is refused without quoting it", () => {
  expect(() => read("users: [{user: {token: hunter2}}\n")).toThrow(
    /^slipway:platform\.kubeconfig = ".*\/config": must be a kubeconfig in YAML: (?!.*hunter2)/,
  );
});

test("a certificate that a kubeconfig names and that is not there is named", () => {
  const directory = temporaryDirectory({
    config: JSON.stringify({
      clusters: [
        { name: "c", cluster: { server: "https://c.example", "certificate-authority": "absent.crt" } },
      ],
      users: [{ name: "u", user: {} }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    }),
  });
  expect(() => readKubeconfigContext([join(directory, "config")], "x")).toThrow(
    `kubeconfig: certificate-authority = "${directory}/absent.crt": must be a file that can be read (ENOENT).`,
  );
});
