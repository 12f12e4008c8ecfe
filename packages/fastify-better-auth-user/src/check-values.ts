// What options may hold. JavaScript callers have no types, and environments hold text where a number or a switch is
// meant: "5" added to a number is no time, and "false" is true. So nothing is converted here.

/** A group of options, or `null` for one that is left out or off. @param standard what `true` stands for. */
export function section<T extends object>(
  name: string,
  value: T | boolean | undefined,
  known: readonly (keyof T & string)[],
  standard?: T
): T | null {
  if (value === undefined || value === false) return null
  if (value === true && standard !== undefined) return standard
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${name}: expected ${standard === undefined ? '' : 'true or '}an object of options`)
  }
  onlyKnown(name, value, known)
  return value
}

export function onlyKnown(what: string, given: object, known: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) throw new TypeError(`unknown ${what} ${name}; known are ${known.join(', ')}`)
  }
}

export function flag(name: string, value: boolean | undefined, standard: boolean): boolean {
  return oneOf(name, value === undefined ? standard : value, [true, false])
}

export function oneOf<T>(name: string, value: T, allowed: readonly T[]): T {
  if (!allowed.includes(value)) throw new TypeError(`${name}: expected one of ${allowed.join(', ')}`)
  return value
}

/** A tolerance between clocks, in seconds. */
export function tolerance(name: string, value: number | undefined): number {
  return number(name, value, 0, 60) ?? 5
}

/** @param most is left out of the message when it is only what numbers can hold. */
export function number(
  name: string,
  value: number | undefined,
  least: number,
  most = Number.MAX_SAFE_INTEGER
): number | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !(value >= least && value <= most)) {
    const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`
    throw new TypeError(`${name}: expected a number ${range}`)
  }
  return value
}

export function text(name: string, value: string): string {
  if (typeof value !== 'string' || value === '') throw new TypeError(`${name}: expected a text, not empty`)
  return value
}

export function texts(name: string, value: string | readonly string[]): readonly string[] {
  const values = list(name, typeof value === 'string' ? [value] : value)
  if (values.length === 0) throw new TypeError(`${name}: expected a text or a list of texts, not empty`)
  return values
}

/** A list of texts, which may be empty. */
export function list(name: string, value: readonly string[]): readonly string[] {
  if (!Array.isArray(value) || !value.every(one => typeof one === 'string' && one !== '')) {
    throw new TypeError(`${name}: expected a list of texts, none empty`)
  }
  return [...value]
}

export function callable<T>(name: string, value: T | undefined): T | undefined {
  if (value !== undefined && typeof value !== 'function') throw new TypeError(`${name}: expected a function`)
  return value
}

/** Something with a method of that name. */
export function having<T>(name: string, value: T | undefined, method: string): T | undefined {
  if (value === undefined) return undefined
  if (typeof (value as Record<string, unknown> | null)?.[method] !== 'function') {
    throw new TypeError(`${name}: expected an object with the method ${method}`)
  }
  return value
}

/** The name of a header or a cookie that may hold a credential (RFC 9110 §5.1, RFC 6265 §4.1.1). */
export function token(name: string, value: string): string {
  if (typeof value !== 'string' || !/^[\w!#$%&'*+.^`|~-]+$/.test(value)) {
    throw new TypeError(`${name}: expected letters, digits, dots and dashes`)
  }
  return value
}

export function headerName(name: string, value: string): string {
  // Those have a meaning of their own.
  if (/^(authorization|cookie)$/i.test(token(name, value))) {
    throw new TypeError(`${name}: ${value} has a meaning of its own; name another header`)
  }
  return value
}
