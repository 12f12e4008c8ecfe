import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { changesOf, compare, doubtsOf } from '../../src/bench/compare.ts'
import { committedPage, PAGE, pageOf } from '../../src/bench/page.ts'
import { type Figure, newestResults, type Result, saveResult } from '../../src/bench/result.ts'
import { quantile, ratiosOf, spreadOf } from '../../src/bench/statistics.ts'
import { numberOf, printedTable } from '../../src/bench/table.ts'
import { run } from '../fixtures/workbench.ts'

const CPU = { measure: 'CPU', unit: 'µs/request', better: 'less' } as const
const RATE = { measure: 'requests', unit: '1/s', better: 'more' } as const

const figure = (
  subject: string,
  what: typeof CPU | typeof RATE,
  [min, median, max]: [number, number, number]
): Figure => ({
  subject,
  ...what,
  min,
  median,
  max
})

const result: Result = {
  bench: 'auth',
  title: 'Knowing who is calling',
  at: '2026-11-21T06:00:00.000Z',
  commit: 'abc1234',
  mode: 'full',
  command: 'pnpm bench auth --full',
  machine: { cpu: 'A processor', cores: 2, memoryGiB: 24, system: 'linux x64' },
  load: 0.3,
  versions: { node: '22.0.0', postgres: '18.4' },
  setting: ['Two users.', 'Three rounds.'],
  figures: [
    figure('bare', CPU, [15, 16, 18]),
    figure('bare', RATE, [30_000, 40_000, 50_000]),
    figure('fresh', CPU, [30, 32.125, 36])
  ],
  outcomes: [
    { target: 'P2', met: false, said: 'CPU ÷ bare: 2.01' },
    { target: 'P1', met: null, said: 'Not measured.' }
  ]
}

t.test('a quantile lies between its neighbours, whatever the order of the values', async t => {
  t.equal(quantile([9, 1, 5], 0.5), 5)
  t.equal(quantile([1, 2, 3, 4], 0.5), 2.5)
  t.equal(quantile([10, 2], 0.25), 4)
  t.equal(quantile([7], 0.99), 7)
  t.strictSame(spreadOf([100, 3, 20]), { min: 3, median: 20, max: 100 })
  t.throws(() => quantile([], 0.5), RangeError)
})

t.test('ratios are between values of the same round', async t => {
  // The second round was twice as slow for both.
  t.strictSame(ratiosOf([30, 60, 45], [15, 30, 15]), [2, 2, 3])
  t.throws(() => ratiosOf([1, 2], [1]), RangeError)
})

t.test('figures are printed in three digits, a row a subject and a column a measure', async t => {
  t.strictSame([0.123456, 12.345, 999.4, 1234.5, 0].map(numberOf), ['0.123', '12.3', '999', '1,235', '0'])
  t.strictSame(printedTable(result.figures), [
    '       CPU, µs/request           requests, 1/s',
    'bare        16 (15–18)  40,000 (30,000–50,000)',
    'fresh     32.1 (30–36)'
  ])
})

t.test('a change counts once no round of the one lies among the rounds of the other', async t => {
  const after = {
    figures: [
      figure('bare', CPU, [14, 15, 15.5]),
      figure('bare', RATE, [20_000, 25_000, 29_000]),
      figure('fresh', CPU, [20, 22, 25]),
      figure('cached', CPU, [17, 18, 19])
    ]
  }
  t.match(changesOf(result, after), [
    { subject: 'bare', measure: 'CPU', verdict: 'within the spread', change: -0.0625 },
    { subject: 'bare', measure: 'requests', verdict: 'worse', change: -0.375 },
    { subject: 'fresh', measure: 'CPU', verdict: 'better' }
  ])
})

t.test('results that are hard to compare are said to be', async t => {
  t.strictSame(doubtsOf(result, result), [])
  const other: Result = {
    ...result,
    bench: 'threads',
    mode: 'quick',
    machine: { ...result.machine, cores: 64 },
    versions: { node: '24.0.0', postgres: '18.4' }
  }
  t.match(doubtsOf(result, other), [/two benches/, /quick/, /machines/, 'node was 22.0.0 and is 24.0.0.'])
})

t.test('a result is kept under bench, date and commit, and the newest of a bench is found', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-results-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const first = saveResult(folder, result)
  t.equal(first, join(folder, 'auth-2026-11-21-abc1234.json'))
  const newer = { ...result, at: '2026-11-22T00:00:00.000Z', commit: 'def5678' }
  const second = saveResult(folder, newer)
  t.strictSame(newestResults(folder), new Map([['auth', newer]]))

  t.test('and two of them are compared by their paths', async t => {
    const lines = await run(compare, [first, second])
    t.match(lines, [
      'auth: abc1234 → def5678',
      /bare, CPU: 16 \(15–18\) → 16 \(15–18\) µs\/request {2}\+0\.0 % {2}within/
    ])
    await t.rejects(run(compare, [first]), /Usage/)
    await t.rejects(run(compare, [first, join(folder, 'absent.json')]), /There is no/)
  })
})

t.test('the page says of each target whether it was met, and how each figure is had again', async t => {
  const text = pageOf(
    [result],
    new Map([
      ['P2', 'Parsing takes the rest.'],
      ['P9', 'Not to be seen.']
    ])
  )
  t.match(text, /\| P1 \| .* \| not measured \| Not measured\. \[auth\]\(#auth\) \|/)
  t.match(text, /\| P2 \| .* \| \*\*missed\*\* \| CPU ÷ bare: 2\.01 \[auth\]\(#auth\) \|/)
  t.match(text, /### What stands in the way of P2\n\nParsing takes the rest\./)
  t.notMatch(text, /Not to be seen/)
  t.match(text, '| bare | 16 (15–18) | 40,000 (30,000–50,000) |')
  t.match(
    text,
    'Repeat it: `pnpm bench auth --full`. Taken on 2026-11-21 at commit abc1234, full; 2 cores of A processor, 24 GiB, linux x64, which had nothing else to do;'
  )
  t.match(pageOf([{ ...result, load: 9.04 }], new Map()), 'which others used as well (a load of 9.04 before it began);')
})

t.test('docs/performance.md is what the committed results make of it', async t => {
  const text = committedPage()
  t.equal(text, existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : null, 'pnpm bench:page writes it')
})
