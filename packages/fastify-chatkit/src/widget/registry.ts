import type { Builder, Place } from './component.ts'
import type { Custom } from './custom.ts'
import * as kinds from './kinds.ts'

type Kinds = typeof kinds
type Kind = Kinds[keyof Kinds]
type NodeOf<Any> = Any extends Builder<infer Node, Place> ? Node : never
type At<Where extends Place> = NodeOf<Extract<Kind, { place: Where }>>

/** What a widget may be: `Card`, `ListView`, `Basic`, or one made by `custom`. */
export type AnyRoot = At<'root'> | Custom

/** What may stand in the content of a widget. */
export type AnyComponent = At<'content'> | Custom

/** Every component, wherever it may stand. */
export type AnyNode = NodeOf<Kind> | Custom

/** Every component's `type`, as named on the wire. */
export const componentTypes: readonly string[] = Object.values(kinds).map(kind => kind.type)
