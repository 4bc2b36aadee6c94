import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa, execaSync } from "execa";
import { stringify } from "yaml";
import { readDescriptor } from "../../../local/descriptor.ts";
import { resolveSettings } from "../../../local/settings.ts";
import { kubernetesTools } from "../../../local/toolFamilies.ts";
import { provideTools } from "../../../local/tools.ts";
import type { Backing } from "./rules.ts";

/** As Azure's servers: nobody gets in without TLS. */
const access = "local all all trust\nhostssl all all all scram-sha-256\n";

const settings = {
  ssl: "on",
  ssl_cert_file: "/server/tls.crt",
  ssl_key_file: "/server/tls.key",
  hba_file: "/server/pg_hba.conf",
};

/** A PostgreSQL server in the embedded cluster that stands in for Azure's, with a certificate of its own. */
export class PostgresServer {
  /** Name by which pods reach it. */
  readonly host: string;
  readonly #namespace: string;
  readonly #directory = mkdtempSync(join(tmpdir(), "slipway-postgres-"));
  #kubectl: readonly [string, ...string[]] = ["kubectl"];

  /** @param namespace of its own, which must not be there yet */
  constructor(namespace: string) {
    this.#namespace = namespace;
    this.host = `server.${namespace}.svc`;
    const made = ["-keyout", this.#file("tls.key"), "-out", this.#file("tls.crt"), "-days", "2"];
    const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const names = ["-subj", `/CN=${this.host}`, "-addext", `subjectAltName=DNS:${this.host}`];
    execaSync("openssl", ["req", ...kind, ...made, ...names]);
  }

  #file(name: string): string {
    return join(this.#directory, name);
  }

  /** The certificate of the authority that its own is from. */
  get certificate(): string {
    return readFileSync(this.#file("tls.crt"), "utf8");
  }

  /** How the double of Azure hands it out. */
  get backing(): NonNullable<Backing["postgres"]> {
    const psql = ["psql", "--username=postgres", "--quiet", "--tuples-only", "--set=ON_ERROR_STOP=1"];
    return { host: this.host, psql: [...this.#kubectl, "exec", "--stdin", "server", "--", ...psql] };
  }

  async start(): Promise<void> {
    const { kubeconfig, postgresImage, registry } = readDescriptor();
    const { bin } = await provideTools(resolveSettings(process.env), kubernetesTools, () => {});
    this.#kubectl = [join(bin, "kubectl"), "--kubeconfig", kubeconfig, "--namespace", this.#namespace];
    const auth = Buffer.from(`${registry.username}:${registry.password}`).toString("base64");
    const metadata = { name: "server", namespace: this.#namespace };
    const objects = [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: this.#namespace } },
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { ...metadata, name: "pull" },
        type: "kubernetes.io/dockerconfigjson",
        stringData: { ".dockerconfigjson": JSON.stringify({ auths: { [registry.server]: { auth } } }) },
      },
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata,
        stringData: {
          "tls.crt": this.certificate,
          "tls.key": readFileSync(this.#file("tls.key"), "utf8"),
          "pg_hba.conf": access,
        },
      },
      {
        apiVersion: "v1",
        kind: "Service",
        metadata,
        spec: { selector: { app: "server" }, ports: [{ port: 5432 }] },
      },
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { ...metadata, labels: { app: "server" } },
        spec: {
          imagePullSecrets: [{ name: "pull" }],
          securityContext: { runAsUser: 999, runAsGroup: 999, fsGroup: 999 },
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: "server",
              image: postgresImage,
              args: [
                "postgres",
                ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
              ],
              env: [
                { name: "POSTGRES_HOST_AUTH_METHOD", value: "scram-sha-256" },
                { name: "POSTGRES_PASSWORD", value: auth },
                { name: "PGDATA", value: "/data/pgdata" },
              ],
              readinessProbe: {
                exec: { command: ["pg_isready", "--quiet", "--host=127.0.0.1"] },
                periodSeconds: 1,
              },
              volumeMounts: [
                { name: "data", mountPath: "/data" },
                { name: "server", mountPath: "/server" },
              ],
            },
          ],
          volumes: [
            { name: "data", emptyDir: {} },
            { name: "server", secret: { secretName: "server", defaultMode: 0o640 } },
          ],
        },
      },
    ];
    const input = objects.map((object) => stringify(object)).join("---\n");
    await this.#run({ input }, "apply", "--filename", "-");
    await this.#run({}, "wait", "--for=condition=Ready", "pod/server", "--timeout=120s");
  }

  /** Runs SQL as a superuser; its rows, a line each. */
  async query(sql: string, database = "postgres"): Promise<string[]> {
    const [command, ...args] = this.backing.psql;
    const { stdout } = await execa(command, [...args, "--no-align", `--dbname=${database}`], { input: sql });
    return stdout.split("\n").filter((line) => line !== "");
  }

  async #run(options: { readonly input?: string }, ...args: string[]): Promise<void> {
    const [command, ...first] = this.#kubectl;
    await execa(command, [...first, ...args], options);
  }

  async stop(): Promise<void> {
    await this.#run({}, "delete", "namespace", this.#namespace, "--wait=true");
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
