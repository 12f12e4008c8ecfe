type Child = Node | string | null | false | undefined

type Properties = {
  class?: string | null
  /** Listeners, by event. */
  on?: { [Name in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Name]) => void }
  /** Attributes; `null`, `undefined` and `false` are left out, `true` is there without a value. */
  [attribute: string]: unknown
}

/**
 * An element. Children that are text become text nodes: nothing on this page is ever parsed as HTML.
 */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(properties)) {
    if (key === 'on') listen(element, value as NonNullable<Properties['on']>)
    else if (value !== null && value !== undefined && value !== false)
      element.setAttribute(key, value === true ? '' : String(value))
  }
  append(element, children)
  return element
}

/** Puts children at the end of an element. */
export function append(element: Element | DocumentFragment, children: readonly Child[]): void {
  for (const child of children) if (child !== null && child !== undefined && child !== false) element.append(child)
}

/** Puts children in the place of all there are. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren()
  append(element, children)
}

/**
 * An element of the document.
 *
 * @throws Error when the page and its script do not belong together.
 */
export function find<Type extends Element>(id: string, type: new () => Type): Type {
  const element = document.getElementById(id)
  if (!(element instanceof type)) throw new Error(`The page has no ${type.name} with the id ${id}`)
  return element
}

const SVG = 'http://www.w3.org/2000/svg'

// Drawn for this page on a grid of 24, in strokes.
const icons = {
  plus: 'M12 5v14M5 12h14',
  menu: 'M4 7h16M4 12h16M4 17h16',
  close: 'M6 6l12 12M18 6L6 18',
  send: 'M12 19V5M6 11l6-6 6 6',
  stop: 'M7 7h10v10H7z',
  attach: 'M19 11l-7.5 7.5a4.5 4.5 0 0 1-6.4-6.4L13 4.2a3 3 0 0 1 4.3 4.3l-7.9 7.9a1.5 1.5 0 0 1-2.2-2.2L14.5 7',
  up: 'M7 11v9H4v-9zM7 11l4-8a2 2 0 0 1 2 2v4h6a2 2 0 0 1 2 2.3l-1 7a2 2 0 0 1-2 1.7H7',
  down: 'M7 13V4H4v9zM7 13l4 8a2 2 0 0 0 2-2v-4h6a2 2 0 0 0 2-2.3l-1-7A2 2 0 0 0 18 4H7',
  retry: 'M4 12a8 8 0 1 0 2.6-5.9M4 4v4h4',
  copy: 'M9 9h10v11H9zM15 9V4H5v11h4',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  edit: 'M4 20l1-4L16 5l3 3L8 19zM14 7l3 3',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  file: 'M7 3h7l4 4v14H7zM14 3v4h4',
  dot: 'M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z'
} as const

export type IconName = keyof typeof icons

/** A picture beside words, or in a control that has a name: nothing is read out. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('viewBox', '0 0 24 24')
  svg.setAttribute('class', 'icon')
  svg.setAttribute('aria-hidden', 'true')
  const path = document.createElementNS(SVG, 'path')
  path.setAttribute('d', icons[name])
  svg.append(path)
  return svg
}

/** A button that is only a picture. Its name is read out, and shown while it is pointed at. */
export function iconButton(
  name: string,
  picture: IconName,
  press: (event: MouseEvent) => void,
  properties: Properties = {}
): HTMLButtonElement {
  return h(
    'button',
    { type: 'button', class: 'icon-button', 'aria-label': name, title: name, on: { click: press }, ...properties },
    icon(picture)
  )
}

function listen(element: HTMLElement, listeners: NonNullable<Properties['on']>): void {
  for (const [name, listener] of Object.entries(listeners))
    if (listener) element.addEventListener(name, listener as EventListener)
}
