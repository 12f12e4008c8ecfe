/** What every part of a widget has. */
export interface Base {
  /** Names it to a streamed update: unique within its widget. */
  id?: string
  /** Tells siblings of a changing list apart. */
  key?: string
}

/** Where a component may stand: as a widget of its own, in the content of another, or only in its own kind of parent. */
export type Place = 'root' | 'content' | 'part'

/** Stands for a child that is not there, as in `isLate && Badge({ label: 'late' })`. */
export type Absent = false | null | undefined

/** What a builder takes: the component without its `type`, where a list of children may have gaps. */
export type PropsOf<Node> = Omit<Node, 'type' | 'children'> & {
  [Key in keyof Node as Key extends 'children' ? Key : never]: Children<Node[Key]>
}

type Children<Value> = Value extends readonly (infer Child)[] ? readonly (Child | Absent)[] : Value | Absent

type Arguments<Props> = object extends Props ? [props?: Props] : [props: Props]

/** Makes one component; and says what is known about it. */
export interface Builder<Node extends { type: string }, Where extends Place> {
  (props: PropsOf<Node> & { id: string }): Node & { id: string }
  (...args: Arguments<PropsOf<Node>>): Node
  /** `type` on the wire. */
  readonly type: Node['type']
  readonly place: Where
}

/**
 * Defines a component. To add one: write its interface and this line in `props/`, and name it in `kinds.ts`.
 *
 * @returns a function that makes a plain object, without the props that are `undefined` and the children that are absent.
 */
export function component<Node extends { type: string }, Where extends Place>(
  type: Node['type'],
  place: Where
): Builder<Node, Where> {
  const build = (props: object = {}) => {
    const node: Record<string, unknown> = { type }
    for (const [name, value] of Object.entries(props)) {
      if (name === 'children' && Array.isArray(value)) node.children = value.filter(isPresent)
      else if (name === 'children' ? isPresent(value) : value !== undefined && value !== null) node[name] = value
    }
    return node
  }
  return Object.assign(build, { type, place }) as unknown as Builder<Node, Where>
}

function isPresent(child: unknown): boolean {
  return child !== false && child !== null && child !== undefined
}
