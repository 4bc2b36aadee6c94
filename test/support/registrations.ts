import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";
import { vi } from "vitest";

/** What the mocks' arguments do not tell of a registration. */
export interface Registration {
  readonly type: string;
  readonly name: string;
  /** Name of the parent, as at the end of its URN. */
  readonly parent: string;
  /** Names of the resources that it depends on. */
  readonly dependsOn: readonly string[];
  /** Properties whose change replaces the resource, besides those that the provider names. */
  readonly replaceOnChanges: readonly string[];
  /** Whether Pulumi refuses to delete it. */
  readonly protect: boolean;
}

interface Request {
  getType(): string;
  getName(): string;
  getParent(): string;
  getDependenciesList(): string[];
  getReplaceonchangesList(): string[];
  getProtect(): boolean;
}

const nameIn = (urn: string) => urn.split("::").at(-1) ?? "";

/** Records every resource that is registered with the SDK's mocks while `run` runs. */
export async function recordRegistrations<T>(
  run: () => Promise<T>,
): Promise<{ readonly result: T; readonly registrations: readonly Registration[] }> {
  const registrations: Registration[] = [];
  const original = MockMonitor.prototype.registerResource;
  const spy = vi.spyOn(MockMonitor.prototype, "registerResource").mockImplementation(function (
    this: InstanceType<typeof MockMonitor>,
    request: Request,
    callback: Parameters<typeof original>[1],
  ) {
    registrations.push({
      type: request.getType(),
      name: request.getName(),
      parent: nameIn(request.getParent()),
      dependsOn: request.getDependenciesList().map(nameIn),
      replaceOnChanges: request.getReplaceonchangesList(),
      protect: request.getProtect(),
    });
    return original.call(this, request, callback);
  });
  try {
    return { result: await run(), registrations };
  } finally {
    spy.mockRestore();
  }
}

/** Runs what registers resources, and waits until every one of them is. */
export async function register<T>(create: () => T): Promise<T> {
  await pulumi.runtime.setMocks(
    { newResource: ({ name, inputs }) => ({ id: name, state: inputs }), call: () => ({}) },
    "shop",
    "dev",
  );
  try {
    return create();
  } finally {
    await pulumi.runtime.disconnect();
  }
}
