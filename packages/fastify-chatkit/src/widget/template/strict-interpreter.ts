import { Interpreter, type Piece, type Scope, type Value } from './jinja.ts'

const blocks = new Set([
  'Set',
  'If',
  'For',
  'Macro',
  'CallStatement',
  'FilterStatement',
  'Break',
  'Continue',
  'Comment'
])
const harmless = new Set(['IntegerValue', 'FloatValue', 'BooleanValue', 'NullValue'])

/**
 * Renders JSON templates: what is missing is an error, and no text of the data can end the string it is printed in.
 *
 * Text is told apart by where it comes from. What the template itself says, what `tojson` gives, and what is cut from
 * these is printed as it is. All other text is escaped as the inside of a JSON string.
 */
export class StrictInterpreter extends Interpreter {
  readonly #printed: WeakSet<Piece>
  readonly #mayBeMissing = new WeakSet<object>()
  /** Text of the template's own. */
  readonly #own = new WeakSet<object>()
  /** For each piece being evaluated, whether all that was evaluated within it is the template's own. */
  readonly #pure: boolean[] = []

  constructor(scope: Scope, program: Piece) {
    super(scope)
    this.#printed = printedPieces(program)
  }

  override evaluate(piece: Piece | undefined, scope: Scope): Value | undefined {
    if (!piece || piece.type === 'Program') return super.evaluate(piece, scope)
    const operand = operandOfTestForAbsence(piece)
    if (operand) this.#mayBeMissing.add(operand)

    const { value, pure } = this.#evaluateWithin(piece, scope)
    if (!value || value.type === 'UndefinedValue') {
      if (this.#mayBeMissing.has(piece)) return value
      throw new TypeError(`${nameOf(piece)} is undefined`)
    }
    // A value of its own, since the data's is printed elsewhere too.
    const result = isFilter(piece, 'safe') ? (this.#literal(value, String, scope) ?? value) : value
    if (this.#isOwn(piece, result, pure, scope)) this.#own.add(result)
    const own = harmless.has(result.type) || this.#own.has(result)
    if (!own && this.#pure.length > 0) this.#pure[this.#pure.length - 1] = false
    if (own || blocks.has(piece.type) || !this.#printed.has(piece)) return result
    const escaped = this.#literal(result, text => JSON.stringify(text).slice(1, -1), scope)
    if (!escaped) throw new TypeError(`${nameOf(piece)} is not text; print it through tojson`)
    return escaped
  }

  #evaluateWithin(piece: Piece, scope: Scope): { value: Value | undefined; pure: boolean } {
    const depth = this.#pure.push(true)
    try {
      const value = super.evaluate(piece, scope)
      this.#noteNames(piece, scope)
      return { value, pure: this.#pure[depth - 1] === true }
    } finally {
      // Also when `break` and `continue` are thrown through here.
      this.#pure.length = depth - 1
    }
  }

  /** What a block or a macro was called is the template's own, and was escaped inside. */
  #noteNames(piece: Piece, scope: Scope): void {
    const name = child(piece, piece.type === 'Macro' ? 'name' : 'assignee')
    const holdsText = piece.type === 'Macro' || (piece.type === 'Set' && !piece.value)
    if (holdsText && name?.type === 'Identifier') this.#own.add(scope.lookupVariable(String(name.value)))
  }

  #isOwn(piece: Piece, value: Value, pure: boolean, scope: Scope): boolean {
    // A method of own text, as in `text.strip()`.
    if (value.type === 'FunctionValue') return pure && piece.type === 'MemberExpression'
    if (value.type !== 'StringValue') return false
    if (piece.type === 'StringLiteral' || blocks.has(piece.type)) return true
    if (isFilter(piece, 'tojson') || isFilter(piece, 'safe')) return true
    const callee = child(piece, 'callee')
    if (piece.type === 'CallExpression' && callee?.type === 'Identifier')
      return callee.value === 'caller' || this.#own.has(scope.lookupVariable(String(callee.value)))
    return pure && piece.type !== 'Identifier'
  }

  #literal(value: Value, change: (text: string) => string, scope: Scope): Value | undefined {
    if (typeof value.value !== 'string') return undefined
    return super.evaluate({ type: 'StringLiteral', value: change(value.value) }, scope)
  }
}

/** Pieces that stand where they are printed. */
function printedPieces(piece: Piece, printed = new WeakSet<Piece>()): WeakSet<Piece> {
  for (const name of ['body', 'alternate', 'defaultBlock']) {
    const statements: unknown = Reflect.get(piece, name)
    if (!Array.isArray(statements)) continue
    for (const statement of statements) {
      printed.add(statement)
      printedPieces(statement, printed)
    }
  }
  return printed
}

/** The operand of `is defined`, `is undefined` and `default`, which need not be there. */
function operandOfTestForAbsence(piece: Piece): Piece | undefined {
  const asks =
    (piece.type === 'TestExpression' && /^(?:un)?defined$/.test(nameOf(child(piece, 'test')))) ||
    isFilter(piece, 'default')
  return asks ? child(piece, 'operand') : undefined
}

function isFilter(piece: Piece, name: string): boolean {
  if (piece.type !== 'FilterExpression') return false
  const filter = child(piece, 'filter')
  return nameOf((filter && child(filter, 'callee')) ?? filter) === name
}

/** How the template calls it. */
function nameOf(piece: Piece | undefined): string {
  if (piece?.type === 'Identifier') return String(piece.value)
  if (piece?.type === 'MemberExpression') return `${nameOf(child(piece, 'object'))}.${nameOf(child(piece, 'property'))}`
  return piece?.type ?? ''
}

function child(piece: Piece, name: string): Piece | undefined {
  const value: unknown = Reflect.get(piece, name)
  return typeof value === 'object' && value !== null && 'type' in value ? (value as Piece) : undefined
}
