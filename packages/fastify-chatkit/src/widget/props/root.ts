import type { ActionConfig } from '../action.ts'
import { type Base, component } from '../component.ts'
import type { IconName } from '../icon.ts'
import type { AnyComponent, AnyRoot } from '../registry.ts'
import type { Alignment, Border, Borders, Color, Direction, Justification, Length, Spacing, Theme } from './shared.ts'

/** A line above the widget: with the picture of a site, or with an icon. */
export type Status =
  | { text: string; favicon?: string; frame?: boolean; icon?: never }
  | { text: string; icon?: IconName; favicon?: never; frame?: never }

/** A button at the foot of a card. */
export interface CardAction {
  label: string
  action: ActionConfig
}

export interface Card extends Base {
  type: 'Card'
  children: AnyComponent[]
  /** Makes a form of the card: its buttons send the values of its controls. */
  asForm?: boolean
  background?: Color
  border?: number | Border | Borders
  size?: 'sm' | 'md' | 'lg' | 'full'
  padding?: Length | Spacing
  status?: Status
  /** Folds the content away once the main action is done. */
  collapsed?: boolean
  confirm?: CardAction
  cancel?: CardAction
  theme?: Theme
}

export interface ListView extends Base {
  type: 'ListView'
  children: ListViewItem[]
  /** How many items show before "Show more". */
  limit?: number | 'auto'
  status?: Status
  theme?: Theme
}

/** Only within a `ListView`. */
export interface ListViewItem extends Base {
  type: 'ListViewItem'
  children: AnyComponent[]
  onClickAction?: ActionConfig
  gap?: Length
  align?: Alignment
}

/** A widget without a frame; it may hold other widgets. */
export interface Basic extends Base {
  type: 'Basic'
  children?: (AnyComponent | AnyRoot)[]
  theme?: Theme
  direction?: Direction
  gap?: Length
  padding?: Length | Spacing
  align?: Alignment
  justify?: Justification
}

export const Card = component<Card, 'root'>('Card', 'root')
export const ListView = component<ListView, 'root'>('ListView', 'root')
export const Basic = component<Basic, 'root'>('Basic', 'root')
export const ListViewItem = component<ListViewItem, 'part'>('ListViewItem', 'part')
