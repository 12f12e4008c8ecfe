/**
 * What is read once from the database's catalog and used until something fails: the tables may have changed, or were not
 * there yet, so the next use looks again.
 *
 * @returns a function that runs work with what was found, and fails as either of them does.
 */
export function discovered<Found>(discover: () => Promise<Found>) {
  let found: Promise<Found> | null = null
  return async <Result>(work: (found: Found) => Promise<Result>): Promise<Result> => {
    found ??= discover()
    const used = found
    try {
      return await work(await used)
    } catch (error) {
      // A later discovery is not thrown away because an earlier one failed late.
      if (found === used) found = null
      throw error
    }
  }
}
