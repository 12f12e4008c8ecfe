import { type Base, component } from '../component.ts'
import type { AnyComponent } from '../registry.ts'
import type { Length, Spacing } from './shared.ts'

export interface Table extends Base {
  type: 'Table'
  children?: TableRow[]
}

/** Only within a `Table`. */
export interface TableRow extends Base {
  type: 'Table.Row'
  children?: TableCell[]
  header?: boolean
}

/** Only within a `TableRow`. */
export interface TableCell extends Base {
  type: 'Table.Cell'
  children?: AnyComponent[]
  width?: Length
  padding?: Spacing
  colSpan?: number
  rowSpan?: number
  align?: 'start' | 'center' | 'end'
  vAlign?: 'start' | 'center' | 'end'
  colSize?: 'xs' | 'sm' | 'md' | 'lg' | 'xl'
}

export const Table = component<Table, 'content'>('Table', 'content')
export const TableRow = component<TableRow, 'part'>('Table.Row', 'part')
export const TableCell = component<TableCell, 'part'>('Table.Cell', 'part')
