import type { types } from "@pulumi/kubernetes";
import { contentHash, leavesOf } from "./content.ts";
import { adminSecretName } from "./database.ts";
import { labels, selectorLabels } from "./labels.ts";
import { lift } from "./lift.ts";
import { containerSecurity, env, podIdentity, volumes } from "./pod.ts";
import type { Release } from "./release.ts";

/** Name of the pods that migrate a workload's database: another one than the workload's, whose Service must not find them. */
export function migrationName({ name }: Pick<Release, "name">): string {
  return `${name}-migration`;
}

/**
 * Makes the workload's database and the user of this generation, where they are not there yet. What the user makes
 * belongs to the database's owner, so the next generation's user has it too. Users of generations before the last one
 * are dropped: no pod that serves still has them. Azure's administrator owns the schema public, so the database's owner is
 * let in.
 */
const setUp = `
\\getenv database DATABASE_NAME
\\getenv login DATABASE_USER
\\getenv verifier DATABASE_PASSWORD_VERIFIER
SET client_min_messages = warning;
SELECT pg_advisory_lock(hashtext(:'database')) \\g /dev/null
SELECT format('CREATE ROLE %I NOLOGIN', :'database') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'database') \\gexec
SELECT format('GRANT %I TO CURRENT_USER', :'database') \\gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'database') WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \\gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'database') \\gexec
SELECT format('CREATE ROLE %I LOGIN IN ROLE %I', :'login', :'database') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'login') \\gexec
ALTER ROLE :"login" PASSWORD :'verifier';
ALTER ROLE :"login" IN DATABASE :"database" SET role = :"database";
SELECT format('DROP ROLE %I', old.rolname) FROM pg_roles old JOIN pg_auth_members m ON m.member = old.oid JOIN pg_roles owner ON owner.oid = m.roleid
 WHERE owner.rolname = :'database' AND old.rolname ~ '_\\d+$'
   AND substring(old.rolname from '\\d+$')::int < substring(:'login' from '\\d+$')::int - 1 \\gexec
\\connect :"database"
SELECT format('GRANT USAGE, CREATE ON SCHEMA public TO %I', :'database') \\gexec
`.trimStart();

/** A node learns of a server's address a moment after the server is ready, and a managed one may fail over just now. */
const awaitServer = "n=0; until pg_isready --quiet || [ $n -ge 30 ]; do n=$((n + 1)); sleep 1; done";

const runScript = 'printf %s "$SCRIPT" | psql --no-psqlrc --quiet --tuples-only --set=ON_ERROR_STOP=1';

function setUpContainer(release: Release) {
  const { database } = release;
  if (database?.setUpImage === undefined) return undefined;
  return {
    name: "set-up",
    image: database.setUpImage,
    imagePullPolicy: "IfNotPresent",
    // By way of standard input, for \gexec; the passwords come by the environment, never as an argument.
    command: ["sh", "-c", `${awaitServer}\n${runScript}`],
    env: [{ name: "SCRIPT", value: setUp }],
    envFrom: [{ secretRef: { name: adminSecretName } }, { secretRef: { name: database.secretName } }],
    resources: { requests: { cpu: "50m", memory: "32Mi" }, limits: { memory: "128Mi" } },
    terminationMessagePolicy: "FallbackToLogsOnError",
    securityContext: { ...containerSecurity(release), runAsUser: 65534, readOnlyRootFilesystem: true },
  };
}

/**
 * Brings the database's schema up to date before the pods of a release start. A Job cannot be changed: it is named by
 * everything in it, so that it runs again exactly when something of it changes.
 */
export function migrationJob(release: Release) {
  const { database, workload } = release;
  if (database === undefined || workload.database === undefined) return undefined;
  const { migrate } = workload.database;
  const name = migrationName(release);
  const own = selectorLabels({ name, stack: release.stack });
  const mounted = volumes(release);
  const first = setUpContainer(release);
  const spec = {
    // A migration that failed is for people to look at: the next run of the program tries again.
    backoffLimit: 0,
    activeDeadlineSeconds: release.rolloutDeadlineSeconds,
    template: {
      metadata: { labels: { ...labels(release), ...own } },
      spec: {
        ...podIdentity(release),
        restartPolicy: "Never",
        ...(first === undefined ? {} : { initContainers: [first] }),
        containers: [
          {
            name: "migrate",
            image: release.image.reference,
            imagePullPolicy: "IfNotPresent",
            command: [...migrate],
            env: env(release),
            resources: release.resources,
            terminationMessagePolicy: "FallbackToLogsOnError",
            securityContext: containerSecurity(release),
            ...(mounted.length > 0 ? { volumeMounts: mounted.map(({ mount }) => mount) } : {}),
          },
        ],
        ...(mounted.length > 0 ? { volumes: mounted.map(({ volume }) => volume) } : {}),
      },
    },
  };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: lift(leavesOf(spec), (known) => `${name}-${contentHash(known)}`),
      namespace: release.namespace,
      labels: { ...labels(release), ...own },
    },
    spec,
  } satisfies types.input.batch.v1.Job;
}
