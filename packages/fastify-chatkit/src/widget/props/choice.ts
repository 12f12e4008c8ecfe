import type { ActionConfig } from '../action.ts'
import { type Base, component } from '../component.ts'
import type { Color, ControlSize, ControlVariant, Direction, TextAlign, TextSize, TextWeight } from './shared.ts'

interface Choice extends Base {
  /** Under which the form sends it. */
  name: string
  onChangeAction?: ActionConfig
  disabled?: boolean
}

interface Picker extends Choice {
  placeholder?: string
  variant?: ControlVariant
  size?: ControlSize
  pill?: boolean
  /** As wide as there is room. */
  block?: boolean
  clearable?: boolean
}

export interface SelectOption {
  value: string
  label: string
  disabled?: boolean
  /** Stands below the label. */
  description?: string
}

export interface Select extends Picker {
  type: 'Select'
  options: SelectOption[]
  defaultValue?: string
  searchable?: boolean
}

export interface DatePicker extends Picker {
  type: 'DatePicker'
  /** ISO 8601, like `min` and `max`, which are included. */
  defaultValue?: string
  min?: string
  max?: string
  /** Where the calendar opens. */
  side?: 'top' | 'bottom' | 'left' | 'right'
  align?: 'start' | 'center' | 'end'
}

export interface Checkbox extends Choice {
  type: 'Checkbox'
  label?: string
  defaultChecked?: boolean
  required?: boolean
}

export interface RadioOption {
  value: string
  label: string
  disabled?: boolean
}

export interface RadioGroup extends Choice {
  type: 'RadioGroup'
  options?: RadioOption[]
  /** What a screen reader calls it. @default its `name` */
  ariaLabel?: string
  defaultValue?: string
  direction?: Direction
  required?: boolean
}

/** The caption of a control, of which it gives the name. */
export interface Label extends Base {
  type: 'Label'
  value: string
  fieldName: string
  size?: TextSize
  weight?: TextWeight
  textAlign?: TextAlign
  color?: Color
}

export const Select = component<Select, 'content'>('Select', 'content')
export const DatePicker = component<DatePicker, 'content'>('DatePicker', 'content')
export const Checkbox = component<Checkbox, 'content'>('Checkbox', 'content')
export const RadioGroup = component<RadioGroup, 'content'>('RadioGroup', 'content')
export const Label = component<Label, 'content'>('Label', 'content')
