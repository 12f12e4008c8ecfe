import { type Base, component } from '../component.ts'
import type { ControlSize } from './shared.ts'

interface InputBase extends Base {
  /** Under which the form sends it. */
  name: string
  defaultValue?: string
  required?: boolean
  /** A regular expression. */
  pattern?: string
  placeholder?: string
  allowAutofillExtensions?: boolean
  autoSelect?: boolean
  autoFocus?: boolean
  disabled?: boolean
  variant?: 'soft' | 'outline'
  size?: ControlSize
  /** The room at its edges; without it, `size` decides. */
  gutterSize?: '2xs' | 'xs' | 'sm' | 'md' | 'lg' | 'xl'
}

export interface Input extends InputBase {
  type: 'Input'
  inputType?: 'number' | 'email' | 'text' | 'password' | 'tel' | 'url'
  pill?: boolean
}

export interface Textarea extends InputBase {
  type: 'Textarea'
  rows?: number
  /** Grows and shrinks with its text, up to `maxRows`. */
  autoResize?: boolean
  maxRows?: number
}

export const Input = component<Input, 'content'>('Input', 'content')
export const Textarea = component<Textarea, 'content'>('Textarea', 'content')
