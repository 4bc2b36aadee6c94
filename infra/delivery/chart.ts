import { ordinalEnds } from "../workloads/build.ts";
import { SecretDetector } from "./leak.ts";
import { manifest, type RenderableObject } from "./manifest.ts";
import { FileMaker, type RenderedFile, type Rendering } from "./render.ts";
import { type Plain, toYaml } from "./yaml.ts";

/** Stands in an object for an expression of its template: a character that no text of a manifest has. */
const mark = "\uf8ff";

/** A template's text that comes out as it is: what looks like an expression in it is none. */
function escaped(text: string): string {
  return text.replaceAll("{{", '{{ "{{" }}');
}

interface Template {
  readonly text: string;
  /** What a chart's user may set, by name. */
  readonly values: { readonly [name: string]: string | number };
}

/** A workload's pods, whose number, where no autoscaler owns it, and image digest are the chart's values. */
function podsTemplate(
  workload: string,
  deployment: Extract<RenderableObject, { readonly kind: "Deployment" | "Rollout" }>,
  secrets: SecretDetector,
): Template {
  const { replicas, template } = deployment.spec;
  const image = template.spec.containers[0]?.image as string;
  const [repository, digest] = image.split("@") as [string, string];
  const own = <T extends { readonly image: unknown }>(containers: readonly T[]) =>
    containers.map((container) =>
      container.image === image ? { ...container, image: `${repository}@${mark}digest` } : container,
    );
  const pods = Object.fromEntries(
    Object.entries(template.spec).map(([key, value]) => [
      key,
      key === "containers" || key === "initContainers" ? own(value as { readonly image: unknown }[]) : value,
    ]),
  );
  const marked = {
    ...deployment,
    spec: {
      ...deployment.spec,
      ...(replicas === undefined ? {} : { replicas: `${mark}replicas` }),
      template: { ...template, spec: pods },
    },
  } as unknown as RenderableObject;
  const expression = (name: string) => `{{ index .Values "${workload}" "${name}" }}`;
  return {
    text: escaped(manifest(workload, marked, secrets))
      .replace(`"${mark}replicas"`, expression("replicas"))
      .replaceAll(`${mark}digest`, expression("digest")),
    values: { digest, ...(replicas === undefined ? {} : { replicas }) },
  };
}

/**
 * The same objects as a Helm chart, `<stack>/Chart.yaml` and so on. Its values are the images' digests and the numbers
 * of pods, and nothing else.
 *
 * @throws InputError as renderStack does
 */
export function* renderChart(rendering: Rendering): Generator<RenderedFile, void> {
  const { project, stack, workloads } = rendering;
  const secrets = new SecretDetector(rendering.secrets);
  const files = new FileMaker(rendering);
  const values: Record<string, Plain> = {};
  for (const [workload, objects] of workloads) {
    const ends = ordinalEnds(objects);
    for (const [index, object] of objects.entries()) {
      const path = `${stack}/templates/${workload}/${object.kind.toLowerCase()}${ends[index]}.yaml`;
      if (object.kind === "Deployment" || object.kind === "Rollout") {
        const template = podsTemplate(workload, object, secrets);
        values[workload] = template.values;
        yield files.yaml(path, template.text);
      } else {
        yield files.yaml(path, escaped(manifest(workload, object, secrets)));
      }
    }
  }
  yield files.yaml(
    `${stack}/Chart.yaml`,
    toYaml({
      apiVersion: "v2",
      name: `${project}-${stack}`,
      description: `The workloads of the stack ${stack} of ${project}`,
      type: "application",
      // Its content is what counts: `helm package --version` gives a chart that is published a version of its own.
      version: "0.0.0",
    }),
  );
  yield files.yaml(`${stack}/values.yaml`, toYaml(values));
  yield files.markdown(
    `${stack}/README.md`,
    `# ${project}-${stack}\n\nThe workloads of the stack \`${stack}\` of \`${project}\` as a Helm chart: \`helm upgrade --install ${stack} .\` installs it.\nIts values are the digests of the images and the numbers of pods. The namespace and the Secrets are not here; the\nprogram provides those.\n`,
  );
}
