import t from 'tap'
import { excerpt } from '../../src/help-centre/excerpt.ts'
import { passagesOf } from '../../src/help-centre/passages.ts'
import { smallTalk } from '../../src/help-centre/small-talk.ts'
import { codeWords, searchable, withHiddenWords } from '../../src/help-centre/words.ts'

t.test('a document is cut at its headings', async t => {
  const { title, passages } = passagesOf(
    'guide/start.md',
    [
      '---\ntitle: not this\n---\n# The *guide*\n\nIntro.\n\n## One\n\n```sh\n# no heading\n```\n\n### Two `code`\n\n<b>x</b> text',
      '## One\n\nAgain.\n\n##### Small\n\nStill there.\n\n## Empty'
    ].join('\n\n')
  )
  t.equal(title, 'The guide')
  t.same(
    passages.map(({ heading, trail, anchor, body }) => [heading, trail, anchor, body]),
    [
      ['The guide', [], '', 'Intro.'],
      ['One', [], 'one', '```sh\n# no heading\n```'],
      ['Two code', ['One'], 'two-code', '<b>x</b> text'],
      ['One', [], 'one-1', 'Again.\n\n##### Small\n\nStill there.']
    ]
  )
  t.match(passagesOf('a/how-to_pay.md', 'Text.'), { title: 'how to pay', passages: [{ heading: 'how to pay' }] })
  t.same(passagesOf('empty.md', '').passages, [])
})

t.test('what is long becomes several passages, cut between blocks, rows, entries or sentences', async t => {
  const long = {
    paragraphs: Array.from({ length: 40 }, (_, index) => `Paragraph ${index}. ${'word '.repeat(20)}`).join('\n\n'),
    'a table': `| a | b |\n|---|---|\n${Array.from({ length: 200 }, (_, index) => `| row ${index} | value |`).join('\n')}`,
    'a list': Array.from({ length: 200 }, (_, index) => `- entry ${index} of this list`).join('\n'),
    'a program': `\`\`\`js\n${'const answer = 42\n'.repeat(300)}\`\`\``,
    'a paragraph': 'This is a sentence. '.repeat(300),
    'a word': 'x'.repeat(10_000)
  }
  for (const [why, text] of Object.entries(long)) {
    const { passages } = passagesOf('long.md', `# Long\n\n${text}`)
    t.ok(passages.length > 1, why)
    t.ok(
      passages.every(({ body }) => body.length < 1700),
      why
    )
  }
  const [, second] = passagesOf('long.md', long['a table']).passages
  t.match(second?.body, /^\| a \| b \|\n\|---\|---\|\n\| row \d+/, 'a part of a table has its head')
})

t.test('an excerpt shows what the question is about', async t => {
  const showing = { maxLength: 120, resolve: (href: string) => (href.startsWith('https:') ? href : null) }
  const body = `${'Something else. '.repeat(6)}\n\nCookies expire.\n\n\`\`\`sh\ncookie --expire\n\`\`\`\n\n${'More. '.repeat(40)}`
  t.equal(excerpt(body, 'When do cookies expire?', showing), 'Cookies expire.\n\n```sh\ncookie --expire\n```')
  t.equal(
    excerpt('[a](b.md) [c](https://d.example) https://e.example ![f](g.png) <img src=x> **[h](#i)**', 'x', showing),
    'a [c](https://d.example) https://e.example f  **h**'
  )
  const list = `- ${'entry '.repeat(30)}`
  for (const introduction of ['These cookies are sent:', '**Limits**'])
    t.equal(
      excerpt(`Cookies expire.\n\n${introduction}\n\n${list}`, 'cookies', showing),
      'Cookies expire.',
      introduction
    )
  t.match(excerpt(`\`\`\`js\n${'cookie()\n'.repeat(50)}\`\`\``, 'cookies', showing), /^```js\n(cookie\(\)\n)+```$/)
  const table = `| word | meaning |\n|---|---|\n${`| cookie | ${'crumb '.repeat(20)}|\n`.repeat(9)}`
  for (const [maxLength, rows] of [
    [120, 1],
    [400, 2]
  ] as const) {
    const lines = excerpt(table, 'word', { ...showing, maxLength }).split('\n')
    t.same(lines, [...table.split('\n').slice(0, 2 + rows), '', '…'], 'no half rows')
  }
  t.ok(excerpt('word '.repeat(1000), 'word', showing).length < 200)
  t.equal(excerpt('', 'word', showing), '')
})

t.test('names out of code are found whole and by their parts', async t => {
  t.same(codeWords('Set DATABASE_URL or `maxLength` in docs/errors.md, not i.e. a-b'), [
    'databaseurl',
    'maxlength',
    'docserrorsmd'
  ])
  t.equal(withHiddenWords('threadStore'), 'threadStore thread Store')
  t.equal(searchable('how -not \0\ud800'), 'how not   ')
})

t.test('small talk is told from questions', async t => {
  for (const [message, sort] of [
    ['Hi!', 'greeting'],
    ['hello there :)', 'greeting'],
    ['ok, thanks', 'thanks'],
    ['Goodbye.', 'farewell'],
    ['hello world example', null],
    ['thanks to what is it fast?', null],
    ['', null]
  ] as const)
    t.equal(smallTalk(message), sort, message)
})
