/**
 * What may have changed. Whoever keeps identities forgets those of the users named, and those found by the session tokens
 * named, although nothing of them may really be different now.
 */
export type Change = 'everything' | { userIds: readonly string[]; sessionTokens: readonly string[] }

/** Told by a {@link RevocationChannel}, in the order in which the changes were committed. None of the methods may throw. */
export interface RevocationListener {
  /**
   * Every change committed before the last proof has been told. Holds until this instant of `performance.now()` unless
   * renewed; each call replaces the instant of the one before.
   */
  trusted(until: number): void
  /** Whoever asks the database after this sees the change. */
  changed(change: Change): void
  /**
   * Nothing is told any more; changes may have been missed. What was kept is worth nothing, also after the next `trusted`.
   *
   * @param reason a sentence with its cure.
   */
  lost(reason: string): void
}

/** Tells what changes in Better Auth's tables, and for how long its silence means that nothing does. */
export interface RevocationChannel {
  /**
   * Listens and keeps trying until closed. Resolves when the first attempt has succeeded or failed; never rejects because
   * of an outage. Until the first `trusted`, and after each `lost`, nothing may be relied on.
   *
   * @throws Error when it is open already: a channel has one listener.
   */
  open(listener: RevocationListener): Promise<void>
  /**
   * Resolves when everything has been told that was committed, and the commit acknowledged, before this was called. What
   * listens may leave it out: then `trusted` alone says how long its silence is believed.
   *
   * @throws Error when that cannot be said, or not soon.
   */
  confirm?(): Promise<void>
  /** Tells nothing afterwards, and holds neither connection nor timer. May be called at any time, also twice. */
  close(): Promise<void>
  /** What keeps it from working now: a sentence with its cure each. Empty when nothing does. */
  check(): Promise<string[]>
}
