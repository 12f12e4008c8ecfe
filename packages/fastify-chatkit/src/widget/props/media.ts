import { type Base, component } from '../component.ts'
import type { IconName } from '../icon.ts'
import type { Color, Length, Radius, Sizes, Spacing } from './shared.ts'

export interface Badge extends Base {
  type: 'Badge'
  label: string
  color?: 'secondary' | 'success' | 'danger' | 'warning' | 'info' | 'discovery'
  variant?: 'solid' | 'soft' | 'outline'
  size?: 'sm' | 'md' | 'lg'
  pill?: boolean
}

export interface Icon extends Base {
  type: 'Icon'
  name: IconName
  color?: Color
  size?: 'xs' | 'sm' | 'md' | 'lg' | 'xl' | '2xl' | '3xl'
}

export interface Image extends Base, Sizes {
  type: 'Image'
  src: string
  alt?: string
  fit?: 'cover' | 'contain' | 'fill' | 'scale-down' | 'none'
  position?: 'top left' | 'top' | 'top right' | 'left' | 'center' | 'right' | 'bottom left' | 'bottom' | 'bottom right'
  radius?: Radius
  frame?: boolean
  /** Reaches the edge of what it is in. */
  flush?: boolean
  margin?: Length | Spacing
  background?: Color
  flex?: Length
}

export const Badge = component<Badge, 'content'>('Badge', 'content')
export const Icon = component<Icon, 'content'>('Icon', 'content')
export const Image = component<Image, 'content'>('Image', 'content')
