/** A token has two passwords, either of which signs in: the one before keeps working while pods take up the new one. */
export type PasswordSlot = "password1" | "password2";

/** When a token's password is made anew. */
export interface RotationPolicy {
  /** A change of this text makes a new password. */
  readonly rotation: string;
  /** A run that finds the password older than this makes a new one. */
  readonly maxAgeDays?: number;
  /** From when on Azure refuses the password, ISO 8601. A change of it makes a new password. */
  readonly expiry?: string;
}

/** What is known of the password there is. */
export interface PresentPassword extends RotationPolicy {
  readonly slot: PasswordSlot;
  /** ISO 8601. */
  readonly created: string;
}

/**
 * Whether a new password is due.
 *
 * @param now milliseconds since 1970
 */
export function rotationDue(present: PresentPassword, wanted: RotationPolicy, now: number): boolean {
  if (present.rotation !== wanted.rotation || present.expiry !== wanted.expiry) return true;
  if (wanted.maxAgeDays === undefined) return false;
  // Not "older": a password whose age is not known counts as too old.
  return !(now - Date.parse(present.created) < wanted.maxAgeDays * 86_400_000);
}

/** The slot for the password after this one. Without a slot it is of a version of this program that knew only the first. */
export function nextSlot(present: PasswordSlot | undefined): PasswordSlot {
  return present === "password2" ? "password1" : "password2";
}
