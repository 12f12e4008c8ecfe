import * as library from '@huggingface/jinja'

/** A piece of a template; what else it has depends on its `type`. */
export interface Piece {
  readonly type: string
  readonly value?: unknown
}

/** A value while a template is rendered. */
export interface Value {
  readonly type: string
  readonly value: unknown
}

export interface Scope {
  set(name: string, value: unknown): Value
  lookupVariable(name: string): Value
}

interface Renderer {
  run(program: Piece): Value
  evaluate(piece: Piece | undefined, scope: Scope): Value | undefined
}

interface Jinja {
  tokenize(source: string, options: { lstrip_blocks: boolean; trim_blocks: boolean }): unknown
  parse(tokens: unknown): Piece
  Environment: new (parent?: Scope) => Scope
  Interpreter: new (scope: Scope) => Renderer
}

// The library's declarations import each other without extensions, which `nodenext` takes for `any`.
export const { Environment, Interpreter, parse, tokenize } = library as unknown as Jinja
