import type { ActionConfig } from '../action.ts'
import { type Base, component } from '../component.ts'
import type { IconName } from '../icon.ts'
import type { ControlSize, ControlVariant } from './shared.ts'

export interface Button extends Base {
  type: 'Button'
  /** Sends the form around it. */
  submit?: boolean
  label?: string
  onClickAction?: ActionConfig
  iconStart?: IconName
  iconEnd?: IconName
  style?: 'primary' | 'secondary'
  iconSize?: 'sm' | 'md' | 'lg' | 'xl' | '2xl'
  color?: 'primary' | 'secondary' | 'info' | 'discovery' | 'success' | 'caution' | 'warning' | 'danger'
  variant?: ControlVariant
  size?: ControlSize
  pill?: boolean
  /** As wide as it is high. */
  uniform?: boolean
  /** As wide as there is room. */
  block?: boolean
  disabled?: boolean
}

export const Button = component<Button, 'content'>('Button', 'content')
