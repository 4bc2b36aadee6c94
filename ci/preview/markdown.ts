import type { Change } from "./changes.ts";

/** What came of the preview of one stack. */
export interface StackPreview {
  readonly stack: string;
  /** Undefined where nothing was compared with what the stack has. */
  readonly changes?: readonly Change[];
  /** Why there is none, in the words of the CLI. */
  readonly failure?: string;
  /** What changes in the objects that the stack's workloads are made of, as a unified diff. */
  readonly manifests?: string;
}

const verbs = { replace: "replaced", destroy: "destroyed", create: "created", change: "changed" } as const;

/** Text that comes from a program is shown as it is: no markup, no mention, no way out of the line. */
function code(text: string): string {
  return `\`${text.replaceAll(/[`\r\n]/g, "'")}\``;
}

function row({ action, kind, name, fields }: Change): string {
  const shown = fields.slice(0, 12).map(code).join(", ");
  const more = fields.length > 12 ? ` and ${fields.length - 12} more` : "";
  const lost = action === "replace" || action === "destroy";
  const head = `${kind} ${code(name)}`;
  return `- ${lost ? `**${verbs[action]}: ${head}**` : head}${shown === "" ? "" : `: ${shown}${more}`}`;
}

function fenced(language: string, text: string): string {
  return `\`\`\`\`${language}\n${text.replaceAll("````", "'''' ").trimEnd()}\n\`\`\`\``;
}

function folded(title: string, lines: readonly string[]): string[] {
  return lines.length === 0
    ? []
    : [`<details><summary>${title}</summary>`, "", ...lines, "", "</details>", ""];
}

function counts(changes: readonly Change[] | undefined): string {
  if (changes === undefined) return "not compared";
  const parts = (Object.keys(verbs) as Change["action"][]).flatMap((action) => {
    const count = changes.filter((change) => change.action === action).length;
    if (count === 0) return [];
    return [
      action === "replace" || action === "destroy"
        ? `**${count} ${verbs[action]}**`
        : `${count} ${verbs[action]}`,
    ];
  });
  return parts.length === 0 ? "no change" : parts.join(", ");
}

/** The preview of a stack as Markdown: what is lost on top and in bold, everything else to be unfolded. */
export function stackMarkdown({ stack, changes, failure, manifests }: StackPreview): string {
  const of = (...actions: Change["action"][]) =>
    (changes ?? []).filter(({ action }) => actions.includes(action)).map(row);
  const lost = of("replace", "destroy");
  return [
    `### ${stack}: ${failure === undefined ? counts(changes) : "**the preview failed**"}`,
    "",
    ...(failure === undefined ? [] : [fenced("", failure), ""]),
    ...(lost.length === 0
      ? []
      : ["> [!CAUTION]", "> **This replaces or destroys resources.**", "", ...lost, ""]),
    ...folded("Created", of("create")),
    ...folded("Changed", of("change")),
    ...(manifests === undefined || manifests.trim() === ""
      ? []
      : folded("Manifests", [fenced("diff", manifests)])),
  ].join("\n");
}

/** The comment on a pull request. */
export function previewMarkdown(previews: readonly StackPreview[], notes: readonly string[]): string {
  return ["## Preview", "", ...previews.map(stackMarkdown), ...notes.map((note) => `_${note}_\n`)].join("\n");
}
