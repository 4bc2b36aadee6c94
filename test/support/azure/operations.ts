import { setTimeout } from "node:timers/promises";

/** Long enough for two operations that the program starts side by side to meet. */
const milliseconds = 100;

/** Operations in progress: of those on a resource and on what it is a part of, Azure takes one at a time. */
export class Operations {
  readonly #own = new Map<string, string>();
  readonly #others: () => Record<string, string>;

  /** @param others what somebody else has started, by Azure id */
  constructor(others: () => Record<string, string>) {
    this.#others = others;
  }

  /**
   * Runs an operation on a resource, alone.
   *
   * @throws Error by `refusal` while another one is in progress
   */
  async run<T>(
    id: string,
    operation: string,
    refusal: (operation: string) => string,
    change: () => T,
  ): Promise<T> {
    const touches = (other: string) =>
      other === id || other.startsWith(`${id}/`) || id.startsWith(`${other}/`);
    const [, busy] =
      [...this.#own, ...Object.entries(this.#others())].find(([other]) => touches(other)) ?? [];
    if (busy !== undefined) throw new Error(refusal(busy));
    this.#own.set(id, operation);
    try {
      await setTimeout(milliseconds);
      return change();
    } finally {
      this.#own.delete(id);
    }
  }
}
