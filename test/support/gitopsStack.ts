import { expect } from "vitest";
import { getGreeting, getText } from "./cluster.ts";
import { Workspace } from "./workspace.ts";

/** A stack of a test that is delivered by GitOps, without the Pulumi CLI. */
export class GitopsStack {
  readonly name: string;
  readonly api: string;
  readonly workspace: Workspace;
  readonly #frontend: string;
  readonly #ports: { readonly api: number; readonly frontend: number };

  /** @param ports NodePorts of its own */
  constructor(name: string, ports: { readonly api: number; readonly frontend: number }) {
    this.name = name;
    this.#ports = ports;
    this.workspace = new Workspace(name);
    this.api = `http://127.0.0.1:${ports.api}`;
    this.#frontend = `http://127.0.0.1:${ports.frontend}`;
  }

  /** Writes the stack's file, with an api that greets so, and with what a test changes of it and of the delivery. */
  configure(
    greeting: string,
    api: { readonly [key: string]: unknown } = {},
    delivery: { readonly [key: string]: unknown } = { kind: "gitops", engine: "argocd" },
  ): void {
    const { env = {}, ...rest } = api as { env?: object };
    this.workspace.configure({
      platform: { kind: "local" },
      delivery,
      exposure: {
        api: { type: "NodePort", nodePort: this.#ports.api },
        frontend: { type: "NodePort", nodePort: this.#ports.frontend },
      },
      workloads: { api: { env: { GREETING: greeting, ...env }, ...rest } },
    });
  }

  /** `npm start`. @throws with its output when it fails */
  async deliver(): Promise<string> {
    const { exitCode, output } = await this.#start();
    if (exitCode !== 0) throw new Error(output);
    return output;
  }

  /** A delivery that must fail, print no key, and leave the page served. @returns its output */
  async deliverInVain(): Promise<string> {
    const { exitCode, output } = await this.#start();
    expect(exitCode).toBe(1);
    expect(output).not.toContain("PRIVATE KEY");
    expect(await getText(this.#frontend)).toContain("<h1");
    return output;
  }

  #start() {
    return this.workspace.run("start", "--deliver", "direct");
  }

  /** What many answers of the api in a row say, each once. */
  async greetings(): Promise<string[]> {
    const texts = new Set<string>();
    for (let count = 0; count < 30; count += 1) texts.add((await getGreeting(this.api)).text);
    return [...texts];
  }

  /** Every pod of the api greets so. */
  async greets(text: string): Promise<void> {
    expect(await this.greetings()).toEqual([text]);
  }

  async remove(): Promise<void> {
    await this.workspace.run("destroy", "--deliver", "direct");
    this.workspace.remove();
  }
}
