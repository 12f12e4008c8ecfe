/** Goes on with a value at once when it is there: a promise costs more than many of the things waited for. */
export function whenever<Value, Result>(
  value: Value | Promise<Value>,
  next: (value: Value) => Result | Promise<Result>
): Result | Promise<Result> {
  return isPromise(value) ? value.then(next) : next(value)
}

export function isPromise<Value>(value: Value | Promise<Value>): value is Promise<Value> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}
