import { type Base, component } from '../component.ts'
import type { AnyComponent } from '../registry.ts'
import type { Color, Length } from './shared.ts'

export interface Divider extends Base {
  type: 'Divider'
  color?: Color
  size?: Length
  /** The room above and below. */
  spacing?: Length
  /** Reaches the edge of what it is in. */
  flush?: boolean
}

/** Takes the room that is left. */
export interface Spacer extends Base {
  type: 'Spacer'
  minSize?: Length
}

/** Animates the change from one child to the next. It has one child or none, never a list. */
export interface Transition extends Base {
  type: 'Transition'
  children?: AnyComponent
}

export const Divider = component<Divider, 'content'>('Divider', 'content')
export const Spacer = component<Spacer, 'content'>('Spacer', 'content')
export const Transition = component<Transition, 'content'>('Transition', 'content')
