import type * as pulumi from "@pulumi/pulumi";
import type { DatabaseConfig } from "../config/database.ts";
import { secretHash } from "./content.ts";
import type { Application } from "./definition.ts";

/** Name of the server's StatefulSet, Service and labels, in the stack's namespace. */
export const serverName = "database";
/** Name of the Secret with which a server is administered: PGHOST and what else psql reads. */
export const adminSecretName = "database-admin";
export const serverPort = 5432;

/** PostgreSQL as its publisher offers it, for several platforms. */
const publicImage =
  "docker.io/library/postgres:17.6@sha256:00bc86618629af00d2937fdc5a5d63db3ff8450acf52f0636ec813c7f4902929";

/** How a workload gets at its database. */
export interface DatabaseAccess {
  /** Name of the Secret with DATABASE_URL and, for a server of the stack's own, its parts. It changes with the credentials. */
  readonly secretName: string;
  readonly port: number;
  /** Whether the server is in the stack's namespace. */
  readonly inCluster: boolean;
  /** Image with psql, where the server is the stack's own: the migration sets up the database first. */
  readonly setUpImage?: pulumi.Input<string>;
}

/** Image of a database in the cluster, and of psql. @param provided the platform's own, where it has one */
export function serverImage(
  { image }: { readonly image?: string | undefined },
  provided: pulumi.Input<string> | undefined,
): pulumi.Input<string> {
  return image ?? provided ?? publicImage;
}

/** Under what the name of a workload's Secret with its database's URL is kept among the names of Secrets. */
export function databaseSecretKey(workload: string): string {
  return `${workload}-database`;
}

/** Names of the workloads that have a database. */
export function workloadsWithDatabase(application: Application): string[] {
  return Object.keys(application).filter((name) => application[name]?.database !== undefined);
}

interface DatabaseSurroundings {
  readonly project: string;
  readonly stack: string;
  /** The platform's own image of PostgreSQL, where it has one. */
  readonly image?: pulumi.Input<string> | undefined;
  /** Names of Secrets by what they are for, where the values that they follow are not known. */
  readonly secretNames?: { readonly [name: string]: string } | undefined;
}

/** What a workload's pods need to know of its database. Plain, but for the image: no secret is in it. */
export function databaseAccess(
  name: string,
  config: DatabaseConfig,
  { project, stack, image, secretNames }: DatabaseSurroundings,
): DatabaseAccess {
  switch (config.kind) {
    case "inCluster":
    case "azure":
      return {
        secretName: `${name}-database-${config.credentials}`,
        port: serverPort,
        inCluster: config.kind === "inCluster",
        setUpImage: serverImage(config, image),
      };
    case "external":
      return {
        secretName:
          secretNames?.[databaseSecretKey(name)] ??
          `${name}-database-${secretHash(`${project}/${stack}/${name}`, { url: config.url })}`,
        port: Number(URL.parse(config.url)?.port || serverPort),
        inCluster: false,
      };
  }
}
