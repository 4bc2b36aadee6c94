import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { root } from "../../infra/projectRoot.ts";
import type { RawConfig } from "./project.ts";

export interface Evaluation {
  readonly project: string;
  readonly stack: string;
  readonly config: RawConfig;
  /** Who answers for the providers. Its errors end the evaluation. */
  readonly mocks: pulumi.runtime.Mocks;
}

function encode(config: RawConfig): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}

let runs = 0;

/**
 * Runs the Pulumi program without an engine: the SDK's own mock monitor takes its registrations, in the order of
 * their dependencies, and asks `mocks` for each one's state.
 *
 * @returns the stack's outputs, once every registration is done
 * @throws the first error of the program or of `mocks`
 */
export async function evaluateProgram({
  project,
  stack,
  config,
  mocks,
}: Evaluation): Promise<Record<string, unknown>> {
  const failures: unknown[] = [];
  const recorded = async <T>(answer: () => T | Promise<T>): Promise<T> => {
    try {
      return await answer();
    } catch (error) {
      failures.push(error);
      throw error;
    }
  };
  pulumi.runtime.setAllConfig(encode(config));
  await pulumi.runtime.setMocks(
    {
      newResource: (args) => recorded(() => mocks.newResource(args)),
      call: (args) => recorded(() => mocks.call(args)),
    },
    project,
    stack,
    false,
    "organization",
  );

  // A failed registration also rejects every Output that depends on it, in promises that nobody holds.
  const onRejection = (error: unknown) => failures.push(error);
  process.on("unhandledRejection", onRejection);
  try {
    runs += 1;
    // The query makes Node evaluate the module again; the modules it imports keep no state.
    const program = (await import(`${pathToFileURL(join(root, "infra/index.ts"))}?run=${runs}`)) as Record<
      string,
      pulumi.Input<unknown>
    >;
    await pulumi.runtime.disconnect();
    if (failures.length > 0) throw failures[0];
    return await new Promise((resolve, reject) => {
      process.once("unhandledRejection", reject);
      pulumi.output({ ...program }).apply((outputs) => {
        process.off("unhandledRejection", reject);
        resolve(outputs as Record<string, unknown>);
      });
    });
  } finally {
    process.off("unhandledRejection", onRejection);
  }
}
