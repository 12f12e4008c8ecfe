import type { WidgetNode } from './client/index.js'
import { h } from './dom.ts'
import { link, markdown } from './markdown.ts'

/** What a widget asks for when it is used. */
export interface WidgetAction {
  type: string
  payload?: unknown
  handler?: 'client' | 'server'
  streaming?: boolean
}

/** What widgets do with an action: resolves when it is done. */
export type Act = (action: WidgetAction) => Promise<void>

/** A part of a widget; which properties it has, its type says. */
type Part = WidgetNode & Record<string, unknown>
type Render = (part: Part, act: Act) => Node

/** A widget, in the page's own style. What the page does not know shows its children, or its text. */
export function widget(root: WidgetNode, act: Act): HTMLElement {
  const made = h('div', { class: 'widget' }, render(root as Part, act))
  for (const label of made.querySelectorAll('label')) nameField(made, label)
  return made
}

let fields = 0

/** Joins a label to the field it names. Ids are of this page: two widgets may have fields of one name. */
function nameField(widget: HTMLElement, label: HTMLLabelElement): void {
  const { field } = label.dataset
  const control = field && widget.querySelector(`[name="${CSS.escape(field)}"]`)
  if (!control) return
  fields += 1
  control.id = `field-${fields}`
  label.htmlFor = control.id
  control.removeAttribute('aria-label')
}

function render(part: Part, act: Act): Node {
  return (Object.hasOwn(renderers, part.type) ? renderers[part.type] : unknown)?.(part, act) ?? unknown(part, act)
}

const box =
  (name: string): Render =>
  (part, act) =>
    h('div', { class: `w-${name}${part.wrap === 'wrap' ? ' w-wrap' : ''}` }, ...children(part, act))

const words =
  (name: 'p' | 'small' | 'h3', style: string): Render =>
  part =>
    h(name, { class: `w-${style}` }, text(part.value))

const renderers: Record<string, Render> = {
  Card: (part, act) => framed(part, act, 'w-card'),
  Basic: (part, act) => framed(part, act, part.direction === 'row' ? 'w-row' : 'w-col'),
  ListView: (part, act) =>
    h('div', { class: 'w-card' }, status(part.status), h('ul', { class: 'w-list' }, ...children(part, act))),
  ListViewItem(part, act) {
    const action = actionOf(part.onClickAction)
    const inner = children(part, act)
    return h('li', {}, action ? button(action, act, inner, 'w-entry') : h('div', { class: 'w-row' }, ...inner))
  },
  Box: (part, act) => box(part.direction === 'row' ? 'row' : 'col')(part, act),
  Row: box('row'),
  Col: box('col'),
  Form: (part, act) =>
    form(actionOf(part.onSubmitAction), act, part.direction === 'row' ? 'w-row' : 'w-col', children(part, act)),
  Transition: (part, act) => (isPart(part.children) ? render(part.children, act) : document.createTextNode('')),
  Text: part =>
    isRecord(part.editable) ? input({ ...part.editable, defaultValue: part.value }) : words('p', 'text')(part, none),
  Title: words('h3', 'title'),
  Caption: words('small', 'caption'),
  Markdown: part => markdown(text(part.value)),
  Label: part => h('label', { 'data-field': part.fieldName, class: 'w-caption' }, text(part.value)),
  Badge: part => h('span', { class: `w-badge w-${oneOf(part.color, COLORS, 'secondary')}` }, text(part.label)),
  // Its meaning is in the words beside it.
  Icon: () => h('span', { class: 'w-icon', 'aria-hidden': 'true' }),
  Image: part => picture(text(part.src), text(part.alt)),
  Divider: () => h('hr'),
  Spacer: () => h('span', { class: 'w-spacer' }),
  Button(part, act) {
    const action = actionOf(part.onClickAction)
    const label = text(part.label)
    const style = [
      'button',
      (part.style === 'primary' || part.variant === 'solid') && 'primary',
      oneOf(part.size, ['3xs', '2xs', 'xs', 'sm', 'md'], 'md') !== 'md' && 'small',
      part.pill === true && 'pill'
    ]
      .filter(Boolean)
      .join(' ')
    const made = action
      ? button(action, act, [label], style)
      : h('button', { type: part.submit === true ? 'submit' : 'button', class: style }, label)
    made.disabled = part.disabled === true
    return made
  },
  Input: part => input(part),
  Textarea: part => h('textarea', { ...field(part), rows: Number(part.rows) || 3 }, text(part.defaultValue)),
  DatePicker: part => input({ ...part, inputType: 'date' }),
  Checkbox: part =>
    h(
      'label',
      { class: 'w-choice' },
      h('input', {
        ...field(part),
        'aria-label': part.label ? null : text(part.name),
        type: 'checkbox',
        value: 'true',
        checked: part.defaultChecked === true
      }),
      text(part.label)
    ),
  Select: part =>
    h(
      'select',
      field(part),
      part.defaultValue === undefined && h('option', { value: '' }, text(part.placeholder) || 'Choose'),
      ...options(part).map(({ value, label, disabled }) =>
        h('option', { value, disabled, selected: value === part.defaultValue }, label)
      )
    ),
  RadioGroup: part =>
    h(
      'fieldset',
      { class: 'w-col', 'aria-label': text(part.ariaLabel) || text(part.name) },
      ...options(part).map(({ value, label, disabled }) =>
        h(
          'label',
          { class: 'w-choice' },
          h('input', { type: 'radio', name: text(part.name), value, disabled, checked: value === part.defaultValue }),
          label
        )
      )
    )
}

const COLORS = ['secondary', 'success', 'danger', 'warning', 'info', 'discovery'] as const

const none: Act = async () => undefined

const unknown: Render = (part, act) => {
  const inner = children(part, act)
  if (inner.length > 0) return h('div', { class: 'w-col' }, ...inner)
  return h('p', { class: 'w-text' }, text(part.value) || text(part.label) || text(part.title))
}

/** A card or a frame without a border: perhaps a form, with buttons of its own at the foot. */
function framed(part: Part, act: Act, style: string): HTMLElement {
  const confirm = footButton(part.confirm, act, 'button primary')
  const cancel = footButton(part.cancel, act, 'button')
  const inner = [
    status(part.status),
    ...children(part, act),
    (confirm || cancel) && h('div', { class: 'w-row w-end' }, cancel, confirm)
  ]
  return part.asForm === true ? form(null, act, style, inner) : h('div', { class: style }, ...inner)
}

function form(action: WidgetAction | null, act: Act, style: string, inner: (Node | null)[]): HTMLFormElement {
  const made = h('form', { class: style }, ...inner)
  made.addEventListener('submit', event => {
    event.preventDefault()
    if (action) void act(withValues(action, made))
  })
  return made
}

function button(action: WidgetAction, act: Act, inner: (Node | string)[], style: string): HTMLButtonElement {
  const made = h('button', { type: 'button', class: style }, ...inner)
  made.addEventListener('click', async () => {
    if (made.ariaBusy === 'true' || (made.form && !made.form.reportValidity())) return
    // Not `disabled`: whoever is at the button by keyboard would be sent to the top of the page.
    made.ariaBusy = 'true'
    made.ariaDisabled = 'true'
    try {
      await act(withValues(action, made.form))
    } finally {
      made.ariaBusy = null
      made.ariaDisabled = null
    }
  })
  return made
}

function footButton(value: unknown, act: Act, style: string): HTMLButtonElement | null {
  if (!isRecord(value)) return null
  const action = actionOf(value.action)
  return action && button(action, act, [text(value.label)], style)
}

/** The values of the controls of a form go along with the payload. */
function withValues(action: WidgetAction, form: HTMLFormElement | null): WidgetAction {
  if (!form) return action
  const values: Record<string, unknown> = {}
  for (const [name, value] of new FormData(form)) values[name] = value
  return { ...action, payload: isRecord(action.payload) ? { ...action.payload, ...values } : values }
}

function input(part: Record<string, unknown>): HTMLInputElement {
  const type = oneOf(part.inputType, ['text', 'email', 'number', 'password', 'tel', 'url', 'date'], 'text')
  return h('input', { ...field(part), type, value: text(part.defaultValue), min: part.min, max: part.max })
}

function field(part: Record<string, unknown>): Record<string, unknown> {
  const { name, placeholder, required, pattern, disabled } = part
  return {
    name: text(name),
    placeholder,
    required: required === true,
    pattern,
    disabled: disabled === true,
    'aria-label': text(placeholder) || text(name)
  }
}

function status(value: unknown): Node | null {
  return isRecord(value) ? h('p', { class: 'w-caption' }, text(value.text)) : null
}

/** A picture of this server or in the message itself. Others are links: to show them would call another site. */
export function picture(src: string, alt: string): Node {
  const own =
    src.startsWith('data:image/') ||
    (URL.canParse(src, location.href) && new URL(src, location.href).origin === location.origin)
  return own ? h('img', { src, alt, loading: 'lazy' }) : link(src, alt || 'Picture')
}

function children(part: Part, act: Act): Node[] {
  const list = Array.isArray(part.children) ? part.children : [part.children]
  return list.filter(isPart).map(child => render(child, act))
}

function options(part: Part): { value: string; label: string; disabled: boolean }[] {
  const list = Array.isArray(part.options) ? part.options.filter(isRecord) : []
  return list.map(({ value, label, disabled }) => ({
    value: text(value),
    label: text(label) || text(value),
    disabled: disabled === true
  }))
}

function actionOf(value: unknown): WidgetAction | null {
  return isRecord(value) && typeof value.type === 'string' ? ({ ...value } as unknown as WidgetAction) : null
}

function oneOf<Value extends string>(value: unknown, known: readonly Value[], otherwise: Value): Value {
  return known.find(one => one === value) ?? otherwise
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

function isPart(value: unknown): value is Part {
  return isRecord(value) && typeof value.type === 'string'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
