import type { ActionConfig } from '../action.ts'
import { type Base, component } from '../component.ts'
import type { AnyComponent } from '../registry.ts'
import type {
  Alignment,
  Border,
  Borders,
  Color,
  Direction,
  Justification,
  Length,
  Radius,
  Sizes,
  Spacing
} from './shared.ts'

/** What boxes of all sorts have in common. */
export interface BoxBase extends Base, Sizes {
  children?: AnyComponent[]
  /** Across the direction of the children. */
  align?: Alignment
  /** Along the direction of the children. */
  justify?: Justification
  wrap?: 'nowrap' | 'wrap' | 'wrap-reverse'
  flex?: Length
  gap?: Length
  padding?: Length | Spacing
  margin?: Length | Spacing
  border?: number | Border | Borders
  radius?: Radius
  background?: Color
}

export interface Box extends BoxBase {
  type: 'Box'
  direction?: Direction
}

export interface Row extends BoxBase {
  type: 'Row'
}

export interface Col extends BoxBase {
  type: 'Col'
}

export interface Form extends BoxBase {
  type: 'Form'
  direction?: Direction
  /** Gets the values of the form's controls, by name. */
  onSubmitAction?: ActionConfig
}

export const Box = component<Box, 'content'>('Box', 'content')
export const Row = component<Row, 'content'>('Row', 'content')
export const Col = component<Col, 'content'>('Col', 'content')
export const Form = component<Form, 'content'>('Form', 'content')
