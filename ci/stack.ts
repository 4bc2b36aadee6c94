import { z } from "zod";
import { type Release, release as releaseSchema } from "../infra/config/images.ts";
import { configNamespace } from "../infra/config/stack.ts";
import { Fault } from "../infra/fault.ts";
import { sharedState } from "../infra/platform/shared.ts";
import { root } from "../infra/projectRoot.ts";
import type { StackFile } from "../local/deliver/project.ts";
import type { PreviewJson } from "./preview/changes.ts";
import type { Pulumi } from "./pulumi.ts";
import { withTemporaryProject, withTemporaryStackFile } from "./stackFile.ts";

/** What the program puts out. */
const outputs = z.object({
  urls: z.record(z.string(), z.string()).default({}),
  images: z.record(z.string(), z.object({ reference: z.string(), version: z.string() })).default({}),
  namespace: z.string().optional(),
  kubeconfig: z.string().optional(),
  platform: sharedState.optional(),
});

/** A stack's outputs, the secret ones too: never print them. */
export type Outputs = z.output<typeof outputs>;

/** One entry of a stack's history. */
interface Update {
  readonly kind: string;
  readonly result: string;
  readonly startTime: string;
  readonly message: string;
  readonly config?: { readonly [key: string]: { readonly value: string; readonly secret: boolean } };
}

/** A build that a stack has run, and when it was put there. */
export interface PastRelease extends Release {
  readonly at: string;
}

export interface ChangeOptions {
  /** For the stack's history. */
  readonly message: string;
  /** Seconds to wait for another update of the stack to end. */
  readonly waitSeconds: number;
  /** Told what is being done, as one line. */
  readonly report: (line: string) => void;
}

/** How many updates of a stack's history are looked at. */
const historyLength = 100;

function releaseIn({ config }: Update): Release | undefined {
  const value = config?.[`${configNamespace}:images`];
  if (value === undefined || value.secret) return undefined;
  const parsed = z
    .object({ source: z.literal("digests"), release: releaseSchema })
    .safeParse(JSON.parse(value.value));
  return parsed.success && Object.keys(parsed.data.release.workloads).length > 0
    ? parsed.data.release
    : undefined;
}

/** A stack, by the Pulumi CLI. */
export class Stack {
  readonly name: string;
  readonly #pulumi: Pulumi;

  constructor(pulumi: Pulumi, name: string) {
    this.#pulumi = pulumi;
    this.name = name;
  }

  /** Whether the backend knows it. */
  async exists(): Promise<boolean> {
    const stacks = await this.#pulumi.json<{ name: string }[]>(["stack", "ls", "--json"]);
    return stacks.some(({ name }) => name === this.name);
  }

  /** @throws Fault when the backend does not know it */
  async require(): Promise<void> {
    if (await this.exists()) return;
    throw new Fault({
      what: `stack ${this.name}`,
      rule: "must exist in the backend that pulumi is logged in to",
      fix: `make it once: pulumi stack init ${this.name}; or correct --stack or PULUMI_BACKEND_URL`,
    });
  }

  /**
   * What its last deployment put out; nothing where there was none.
   *
   * @throws Fault when it was deployed by a version of this program that puts out otherwise
   */
  async outputs(): Promise<Outputs> {
    const raw = await this.#pulumi.json<unknown>([
      "stack",
      "output",
      "--json",
      "--show-secrets",
      "--stack",
      this.name,
    ]);
    const parsed = outputs.safeParse(raw);
    if (parsed.success) return parsed.data;
    throw new Fault({
      what: `outputs of stack ${this.name}`,
      // Paths and rules only: the values may be secret.
      value: parsed.error.issues.map(({ path }) => path.join(".")).join(", "),
      rule: "must be as this version of the program writes them",
      fix: `deploy it again: pulumi up --stack ${this.name}`,
    });
  }

  async #history(): Promise<Update[]> {
    return this.#pulumi.json<Update[]>([
      "stack",
      "history",
      "--json",
      "--page-size",
      String(historyLength),
      "--stack",
      this.name,
    ]);
  }

  /** Builds that it was given and that then ran, the last one first. */
  async releases(): Promise<PastRelease[]> {
    return (await this.#history())
      .filter(({ kind, result }) => kind === "update" && result === "succeeded")
      .flatMap((update) => {
        const release = releaseIn(update);
        return release === undefined ? [] : [{ ...release, at: update.startTime }];
      });
  }

  /** The build that it was given last; undefined where it never was. */
  async release(): Promise<Release | undefined> {
    const [last] = await this.releases();
    if (last === undefined) return undefined;
    const { at: _, ...given } = last;
    return given;
  }

  /** How its last update ended; undefined when there was none. */
  async lastUpdate(): Promise<{ readonly result: string; readonly release?: Release } | undefined> {
    const last = (await this.#history()).find(({ kind }) => kind === "update");
    if (last === undefined) return undefined;
    const release = releaseIn(last);
    return { result: last.result, ...(release === undefined ? {} : { release }) };
  }

  /** Whether an update of it has ever ended well. */
  async hasSucceeded(): Promise<boolean> {
    return (await this.#history()).some(({ kind, result }) => kind === "update" && result === "succeeded");
  }

  /** What an update with this stack file would do. One that would fail says why in `failure`. */
  async preview(
    file: StackFile,
    { policyPack }: { readonly policyPack?: string | undefined },
  ): Promise<PreviewJson & { readonly failure?: string }> {
    const pack = policyPack === undefined ? [] : ["--policy-pack", policyPack];
    return withTemporaryStackFile(this.name, file, (path) =>
      this.#pulumi.preview(["preview", "--json", ...pack, "--config-file", path, "--stack", this.name]),
    );
  }

  /** What differs from its state. */
  async refreshPreview(): Promise<PreviewJson & { readonly failure?: string }> {
    return withTemporaryProject((cwd) =>
      this.#pulumi.preview(["refresh", "--preview-only", "--json", "--stack", this.name], { cwd }),
    );
  }

  /** `pulumi up` with this stack file. @throws Fault with the CLI's last lines */
  async up(file: StackFile, options: ChangeOptions): Promise<void> {
    await withTemporaryStackFile(this.name, file, (path) =>
      this.#change(
        // What somebody has changed or deleted by hand is found first: it would end the update half-way.
        ["up", "--yes", "--skip-preview", "--refresh", "--config-file", path, "--message", options.message],
        options,
      ),
    );
  }

  /** Makes the stack where there is none, with nothing left in the checkout. */
  async create(file: StackFile): Promise<void> {
    if (await this.exists()) return;
    const { secretsprovider } = file;
    const provider = secretsprovider === undefined ? [] : ["--secrets-provider", secretsprovider];
    await withTemporaryProject(async (cwd) => {
      await this.#pulumi.run(["stack", "init", this.name, "--no-select", ...provider], { cwd });
    });
  }

  /** The stack in full: organization/project/stack. */
  async fullName(): Promise<string> {
    const stacks = await this.#pulumi.json<{ name: string }[]>(["stack", "ls", "--json", "-Q"]);
    const found = stacks.find(({ name }) => name.split("/").at(-1) === this.name);
    return found?.name ?? this.name;
  }

  async tags(): Promise<{ readonly [name: string]: string }> {
    return this.#pulumi.json(["stack", "tag", "ls", "--json", "--stack", this.name]);
  }

  async tag(name: string, value: string): Promise<void> {
    await this.#pulumi.run(["stack", "tag", "set", name, value, "--stack", this.name]);
  }

  /** Destroys what it has, and forgets it. */
  async destroy(options: ChangeOptions): Promise<void> {
    await withTemporaryProject((cwd) =>
      this.#change(
        ["destroy", "--yes", "--skip-preview", "--remove", "--message", options.message],
        options,
        cwd,
      ),
    );
  }

  async #change(args: readonly string[], { waitSeconds, report }: ChangeOptions, cwd = root): Promise<void> {
    await this.#pulumi.change([...args, "--stack", this.name], {
      cwd,
      stack: this.name,
      waitSeconds,
      onLine: report,
      onWait: (holder) => report(`waiting: stack ${this.name} is locked by ${holder}`),
    });
  }
}
