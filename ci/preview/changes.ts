/** What `pulumi preview --json` and `pulumi refresh --preview-only --json` tell, as far as it is read here. */
export interface PreviewJson {
  readonly steps?: readonly {
    readonly op: string;
    readonly urn: string;
    readonly detailedDiff?: { readonly [field: string]: { readonly kind: string } } | null;
    readonly diffReasons?: readonly string[] | null;
    readonly replaceReasons?: readonly string[] | null;
  }[];
  readonly diagnostics?: readonly { readonly message: string; readonly severity: string }[];
}

/** What happens to a resource, and to which of its fields. Never a value: any of them may be secret. */
export interface Change {
  readonly action: "replace" | "destroy" | "create" | "change";
  /** Last part of its type: `Deployment`. */
  readonly kind: string;
  /** Its logical name. */
  readonly name: string;
  readonly fields: readonly string[];
}

/** Components and the stack itself exist in Pulumi's state alone. */
function isLogical(type: string): boolean {
  return type.startsWith("slipway:") || type.startsWith("pulumi:");
}

function actionOf(op: string): Change["action"] | undefined {
  if (op.includes("replace")) return "replace";
  if (op.startsWith("delete") || op.startsWith("discard")) return "destroy";
  if (op.startsWith("create") || op.startsWith("import")) return "create";
  return op === "update" ? "change" : undefined;
}

/** The changes of a preview, each resource once, in the order of its steps. */
export function changesOf({ steps = [] }: PreviewJson): Change[] {
  const changes = new Map<string, Change>();
  for (const { op, urn, detailedDiff, diffReasons, replaceReasons } of steps) {
    const [, , types = "", name = ""] = urn.split("::");
    const type = types.split("$").at(-1) ?? "";
    const action = actionOf(op);
    if (action === undefined || isLogical(type)) continue;
    // A replacement comes in three steps, of which one says why.
    const before = changes.get(urn)?.fields ?? [];
    const found = [...(replaceReasons ?? []), ...Object.keys(detailedDiff ?? {}), ...(diffReasons ?? [])];
    changes.set(urn, {
      action: changes.get(urn)?.action === "replace" ? "replace" : action,
      kind: type.split(":").at(-1) ?? type,
      name,
      fields: [...new Set([...before, ...found])],
    });
  }
  return [...changes.values()];
}
