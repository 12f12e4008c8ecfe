/** A file of the repository that is made from what runs, so that it cannot say something else. */
export interface MadeDocument {
  /** From the repository's root. */
  path: string
  make: () => string | Promise<string>
}
