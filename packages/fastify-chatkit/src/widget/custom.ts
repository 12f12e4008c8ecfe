declare const unchecked: unique symbol

/** A component that nobody checked. */
export interface Custom {
  type: string
  readonly [unchecked]: true
}

/**
 * A component this package does not know, or one whose props it does not know yet; it is passed on as it is.
 *
 * @param node anything with a `type`.
 */
export function custom(node: { type: string; id?: string; key?: string; [prop: string]: unknown }): Custom {
  return { ...node } as unknown as Custom
}
