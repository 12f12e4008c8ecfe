import { z } from 'zod'
import type { WidgetRoot } from '../../protocol/widget.ts'
import { widgetRoot } from '../schema.ts'
import { Environment, type Piece, parse, type Scope, tokenize } from './jinja.ts'
import { StrictInterpreter } from './strict-interpreter.ts'

/** A widget to be filled in: what a `.widget` file of ChatKit's widget builder holds. */
export interface WidgetTemplate {
  readonly name: string
  /** What the file says about its data, as JSON Schema. It is not enforced here. */
  readonly jsonSchema: Record<string, unknown>
  /**
   * The widget for some data.
   *
   * @param data as JSON would carry it: dates become text, `undefined` is missing.
   * @throws TypeError the template names something the data does not have, or what it gives is no widget.
   */
  build(data?: object): WidgetRoot
  /** The text `build` reads the widget from, to look into a template that does not give JSON. */
  render(data?: object): string
}

const widgetFile = z.object({
  version: z.literal('1.0'),
  name: z.string(),
  template: z.string(),
  jsonSchema: z.record(z.string(), z.unknown()).default(() => ({}))
})

const longestRange = 10_000

/**
 * Reads a `.widget` file. Its template is Jinja2, interpreted: it cannot run code.
 *
 * Text of the data that is printed without `tojson` is escaped as the inside of a JSON string, so it cannot add to the
 * widget; lists and objects must go through `tojson`.
 *
 * ```ts
 * const template = loadWidgetTemplate(await readFile('order.widget', 'utf8'))
 * yield* streamWidget(turn, template.build({ order }))
 * ```
 *
 * @param contents of the file: its text, or the object it stands for.
 * @throws TypeError it is not JSON, not of version "1.0", or its template is no Jinja2.
 */
export function loadWidgetTemplate(contents: string | object): WidgetTemplate {
  const { name, template, jsonSchema } = readFile(contents)
  const program = readTemplate(name, template)
  const render = (data: object = {}) => {
    try {
      return String(new StrictInterpreter(scopeOf(data), program).run(program).value)
    } catch (error) {
      throw new TypeError(`Widget template "${name}" cannot be rendered: ${messageOf(error)}`, { cause: error })
    }
  }
  return {
    name,
    jsonSchema,
    render,
    build(data) {
      const widget = widgetRoot.safeParse(parseJson(name, render(data)))
      if (widget.success) return widget.data
      throw new TypeError(`Widget template "${name}" gives no widget: ${z.prettifyError(widget.error)}`)
    }
  }
}

function readFile(contents: string | object): z.output<typeof widgetFile> {
  try {
    return widgetFile.parse(typeof contents === 'string' ? JSON.parse(contents) : contents)
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error)
    throw new TypeError(`Not a .widget file: ${reason}`, { cause: error })
  }
}

function readTemplate(name: string, template: string): Piece {
  try {
    return parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true }))
  } catch (error) {
    throw new TypeError(`Widget template "${name}" is not Jinja2: ${messageOf(error)}`, { cause: error })
  }
}

function scopeOf(data: object): Scope {
  const globals = new Environment()
  for (const [name, value] of [
    ['true', true],
    ['false', false],
    ['none', null]
  ] as const) {
    globals.set(name, value)
    globals.set(`${name.charAt(0).toUpperCase()}${name.slice(1)}`, value)
  }
  globals.set('range', range)
  // A scope of its own: data may have a field named like a global.
  const scope = new Environment(globals)
  for (const [name, value] of Object.entries<unknown>(JSON.parse(JSON.stringify(data)))) scope.set(name, value)
  return scope
}

function range(first: number, end?: number, step = 1): number[] {
  const [start, stop] = end === undefined ? [0, first] : [first, end]
  const length = Math.max(0, Math.ceil((stop - start) / step))
  if (!(length <= longestRange)) throw new RangeError(`A range has at most ${longestRange} numbers`)
  return Array.from({ length }, (_, at) => start + at * step)
}

// Without the parser's own words: they quote the text, and with it the data.
function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new TypeError(`Widget template "${name}" does not give JSON; print values through tojson`)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
