/** Pixels or spacing units, or CSS text. */
export type Length = number | string

/** One colour for each theme. */
export interface ThemeColor {
  dark: string
  light: string
}

/** A token such as `secondary` or `red-100`, CSS text, or one for each theme. */
export type Color = string | ThemeColor

export interface Spacing {
  top?: Length
  right?: Length
  bottom?: Length
  left?: Length
  x?: Length
  y?: Length
}

export interface Border {
  /** In pixels. */
  size: number
  color?: Color
  style?: 'solid' | 'dashed' | 'dotted' | 'double' | 'groove' | 'ridge' | 'inset' | 'outset'
}

export interface Borders {
  top?: number | Border
  right?: number | Border
  bottom?: number | Border
  left?: number | Border
  x?: number | Border
  y?: number | Border
}

export type Radius = '2xs' | 'xs' | 'sm' | 'md' | 'lg' | 'xl' | '2xl' | '3xl' | '4xl' | 'full' | '100%' | 'none'
export type Alignment = 'start' | 'center' | 'end' | 'baseline' | 'stretch'
export type Justification = 'start' | 'center' | 'end' | 'between' | 'around' | 'evenly' | 'stretch'
export type Direction = 'row' | 'col'
export type Theme = 'light' | 'dark'

export type TextAlign = 'start' | 'center' | 'end'
export type TextSize = 'xs' | 'sm' | 'md' | 'lg' | 'xl'
export type TextWeight = 'normal' | 'medium' | 'semibold' | 'bold'

export type ControlVariant = 'solid' | 'soft' | 'outline' | 'ghost'
export type ControlSize = '3xs' | '2xs' | 'xs' | 'sm' | 'md' | 'lg' | 'xl' | '2xl' | '3xl'

/** How large a component is. */
export interface Sizes {
  height?: Length
  width?: Length
  /** Height and width at once; likewise `minSize` and `maxSize`. */
  size?: Length
  minHeight?: Length
  minWidth?: Length
  minSize?: Length
  maxHeight?: Length
  maxWidth?: Length
  maxSize?: Length
  /** Width divided by height, or CSS text. */
  aspectRatio?: Length
}
