/** What several rounds gave. */
export interface Spread {
  min: number
  median: number
  max: number
}

/**
 * The value below which a part of all values lies, interpolated between neighbours.
 *
 * @param values in any order, at least one.
 * @param part 0 to 1: 0.5 is the median, 0.99 what one of a hundred exceeds.
 */
export function quantile(values: readonly number[], part: number): number {
  if (values.length === 0) throw new RangeError('Nothing was measured')
  const sorted = Float64Array.from(values).sort()
  const place = (sorted.length - 1) * part
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place - Math.floor(place))
}

/** @param values at least one. */
export function spreadOf(values: readonly number[]): Spread {
  return { min: quantile(values, 0), median: quantile(values, 0.5), max: quantile(values, 1) }
}

/**
 * One thing's rounds over another's, round by round: what disturbs both at a time cancels out.
 *
 * @param values as many as `base` has; those of one index were taken in one round.
 */
export function ratiosOf(values: readonly number[], base: readonly number[]): number[] {
  if (values.length !== base.length) throw new RangeError('Ratios are between values of the same rounds')
  return values.map((value, round) => value / (base[round] ?? Number.NaN))
}
