import type { Figure } from './result.ts'

/** A table with a row a subject and a column a measure, in the order in which they first occur. */
export interface Table {
  columns: string[]
  rows: { subject: string; cells: (Figure | null)[] }[]
}

export function tableOf(figures: readonly Figure[]): Table {
  const measures = [...new Set(figures.map(figure => figure.measure))]
  const subjects = [...new Set(figures.map(figure => figure.subject))]
  const unitOf = (measure: string) => figures.find(figure => figure.measure === measure)?.unit ?? ''
  const find = (subject: string, measure: string) =>
    figures.find(figure => figure.subject === subject && figure.measure === measure) ?? null
  return {
    columns: measures.map(measure => (unitOf(measure) === '' ? measure : `${measure}, ${unitOf(measure)}`)),
    rows: subjects.map(subject => ({ subject, cells: measures.map(measure => find(subject, measure)) }))
  }
}

/** Three significant digits; above a thousand whole, with a separator. */
export function numberOf(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US')
  if (value === 0) return '0'
  return String(Number(value.toPrecision(3)))
}

/** `16.2 (15.8–19)`; one number when the rounds agree. */
export function spreadText({ min, median, max }: Pick<Figure, 'min' | 'median' | 'max'>): string {
  const [low, middle, high] = [min, median, max].map(numberOf)
  return low === high ? `${middle}` : `${middle} (${low}–${high})`
}

/** For a terminal. */
export function printedTable(figures: readonly Figure[]): string[] {
  const { columns, rows } = tableOf(figures)
  const lines = [
    ['', ...columns],
    ...rows.map(({ subject, cells }) => [subject, ...cells.map(cell => (cell === null ? '' : spreadText(cell)))])
  ]
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0))) ?? []
  return lines.map(line =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  )
}
