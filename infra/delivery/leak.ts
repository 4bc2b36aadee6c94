/** Shorter secrets occur by chance within other text: they are looked for as whole values only. */
const shortest = 6;

/** How a text looks where it is written into JSON, a URL or a Secret. */
function spellings(secret: string): string[] {
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret.toWellFormed()),
    Buffer.from(secret).toString("base64"),
  ];
}

/** Looks for secrets in texts. The time it takes does not depend on their number: they are found by how they begin. */
export class SecretDetector {
  readonly #whole: ReadonlySet<string>;
  readonly #byBeginning = new Map<string, string[]>();

  constructor(secrets: readonly string[]) {
    this.#whole = new Set(secrets);
    for (const spelling of new Set(secrets.flatMap(spellings))) {
      if (spelling.length < shortest) continue;
      const beginning = spelling.slice(0, shortest);
      const others = this.#byBeginning.get(beginning);
      if (others === undefined) this.#byBeginning.set(beginning, [spelling]);
      else others.push(spelling);
    }
  }

  get isIdle(): boolean {
    return this.#whole.size === 0;
  }

  /** Whether a text is a secret. */
  is(text: string): boolean {
    return this.#whole.has(text);
  }

  /** Whether a secret of at least so many characters is in a text, in whatever spelling. */
  isIn(text: string, characters: number = shortest): boolean {
    for (let at = 0; at + shortest <= text.length; at += 1) {
      const candidates = this.#byBeginning.get(text.slice(at, at + shortest));
      if (candidates?.some((secret) => secret.length >= characters && text.startsWith(secret, at)))
        return true;
    }
    return false;
  }
}
