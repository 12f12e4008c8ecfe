import { type Base, component } from '../component.ts'
import type { Color, Length, TextAlign, TextSize, TextWeight } from './shared.ts'

interface TextBase extends Base {
  value: string
  color?: Color
  weight?: TextWeight
  textAlign?: TextAlign
  /** Ends in an ellipsis what does not fit. */
  truncate?: boolean
  maxLines?: number
}

/** Makes text a control of the form around it. */
export interface Editable {
  /** Under which the form sends it. */
  name: string
  autoFocus?: boolean
  autoSelect?: boolean
  autoComplete?: string
  allowAutofillExtensions?: boolean
  /** A regular expression. */
  pattern?: string
  placeholder?: string
  required?: boolean
}

export interface Text extends TextBase {
  type: 'Text'
  /** Whether more of `value` is to come. With an `id`, what is appended goes out alone. */
  streaming?: boolean
  italic?: boolean
  lineThrough?: boolean
  width?: Length
  size?: TextSize
  minLines?: number
  editable?: false | Editable
}

export interface Title extends TextBase {
  type: 'Title'
  size?: 'sm' | 'md' | 'lg' | 'xl' | '2xl' | '3xl' | '4xl' | '5xl'
}

export interface Caption extends TextBase {
  type: 'Caption'
  size?: 'sm' | 'md' | 'lg'
}

export interface Markdown extends Base {
  type: 'Markdown'
  value: string
  /** Whether more of `value` is to come. With an `id`, what is appended goes out alone. */
  streaming?: boolean
}

export const Text = component<Text, 'content'>('Text', 'content')
export const Title = component<Title, 'content'>('Title', 'content')
export const Caption = component<Caption, 'content'>('Caption', 'content')
export const Markdown = component<Markdown, 'content'>('Markdown', 'content')
