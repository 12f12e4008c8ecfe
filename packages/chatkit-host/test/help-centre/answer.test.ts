import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AssistantMessageItem, WidgetItem } from 'fastify-chatkit'
import t from 'tap'
import { ownDocuments, readHelpFiles } from '../../src/help-centre/files.ts'
import { indexFiles } from '../../src/help-centre/index-files.ts'
import { search } from '../../src/help-centre/search.ts'
import { type Answer, post, said, threadOf } from '../fixtures/chat.ts'
import { openHost } from '../fixtures/host.ts'
import { bearer, signUp } from '../fixtures/people.ts'
import { openPool } from '../fixtures/pool.ts'
import { type Asked, firstQuestions, questions, strangeQuestions } from './questions.ts'

const itemsOf = ({ events }: Answer, type: string) =>
  events.flatMap(event => {
    const item = event.item as { type: string } | undefined
    return event.type === 'thread.item.done' && item?.type === type ? [item] : []
  })
const annotationsOf = (answer: Answer) =>
  (itemsOf(answer, 'assistant_message') as AssistantMessageItem[]).flatMap(item =>
    item.content.flatMap(part => part.annotations)
  )
const buttonsOf = (answer: Answer) =>
  (itemsOf(answer, 'widget') as WidgetItem[]).flatMap(({ id, widget }) => {
    const { children } = widget as unknown as { children: { children: { label: string; onClickAction: object }[] }[] }
    return children.flatMap(row => row.children).map(button => ({ itemId: id, ...button }))
  })

t.test('this project, asked about itself', async t => {
  const host = await openHost(t, { RESPONDER: 'help-centre' })
  const headers = bearer((await signUp(host.url)).rawToken)
  const ask = (message: string, thread_id?: string) => post(host.url, headers, { message, thread_id })
  const problems = () => host.log.map(line => JSON.parse(line)).filter(line => line.level >= 40)

  await t.test('an answer is streamed in pieces, names its sources, and says what could be asked next', async t => {
    const answer = await ask('What does maxRetryDelayMs mean?')
    const deltas = answer.events.filter(event => (event.update as { type?: string })?.type?.endsWith('text_delta'))
    t.ok(deltas.length > 3)
    t.match(
      said(answer),
      /^\*\*Chat completions.*\*\* \(Responders\)\n\n\| option .*\n\|[-|]+\n\| `maxRetryDelayMs` \|/
    )
    t.notMatch(said(answer), 'baseUrl', 'of a long table only the rows in question')
    const [first] = annotationsOf(answer)
    t.match(first, {
      type: 'annotation',
      source: {
        type: 'file',
        title: /^Responders › Chat completions/,
        filename: 'packages/fastify-chatkit/docs/responders.md'
      }
    })
    t.equal(said(answer)[(first?.index ?? 0) - 1], '|', 'it is at the end of its passage')
    t.ok(buttonsOf(answer).length > 0)
    const updates = answer.events.flatMap(event => (event.type === 'thread.updated' ? [event.thread] : []))
    t.match(updates, [{ title: 'What does maxRetryDelayMs mean?' }], 'and the thread has a name')
  })

  await t.test('a suggestion that is chosen joins the thread as a question, and leads to its passage', async t => {
    const answer = await ask('What is DATABASE_URL for?')
    for (const { itemId, label, onClickAction } of buttonsOf(answer)) {
      const { type, payload } = onClickAction as { type: string; payload: { question: string } }
      const chosen = await post(host.url, headers, {
        type: 'threads.custom_action',
        params: { thread_id: threadOf(answer), item_id: itemId, action: { type, payload } }
      })
      t.match(itemsOf(chosen, 'user_message'), [{ content: [{ type: 'input_text', text: payload.question }] }])
      const [, heading, title] = /^(.*) \((.*?)\)$/.exec(payload.question) ?? []
      const source = heading === undefined ? payload.question : `${title} › ${heading}`
      t.ok(
        annotationsOf(chosen).some(one => one.source.title === source),
        `${label}: ${source}`
      )
    }
    const strange = await post(host.url, headers, {
      type: 'threads.custom_action',
      params: { thread_id: threadOf(answer), action: { type: 'help.ask', payload: 7 } }
    })
    t.equal(said(strange), 'Nothing is known here about this button.')
  })

  await t.test('a question that goes on from the one before is understood by it', async t => {
    const first = await ask('How do I store files in S3?')
    const more = await ask('and why?', threadOf(first))
    t.match(annotationsOf(more)[0]?.source, { filename: 'packages/fastify-chatkit/docs/attachments.md' })
  })

  await t.test('what is in no document is said not to be', async t => {
    const answer = await ask('What is the weather in Lisbon tomorrow?')
    t.match(
      said(answer),
      /^I found nothing about that in the documents\. You can ask about what they say: .*chatkit-host/
    )
    t.same(annotationsOf(answer), [])
    t.ok(buttonsOf(answer).length > 0)
  })

  await t.test('small talk is answered as such', async t => {
    t.match(said(await ask('Good morning!')), /^Hello! I look up answers in the documents/)
    t.equal(said(await ask('Thank you so much')), 'You are welcome.')
    t.equal(said(await ask('bye 👋')), 'Goodbye!')
  })

  await t.test('odd messages are answered too', async t => {
    const odd = {
      'an emoji': '🤷',
      nothing: ' \n ',
      punctuation: '?!… --- "\' & | ! :* <-> ()',
      'stop words': 'what is the of and to',
      NUL: 'What is \0 DATABASE_URL?',
      'half a character': 'What is \ud800 DATABASE_URL?',
      SQL: `'; drop table chatkit_host.help_passage; --`,
      'a query of Postgres': "cookie & !session | 'x':*A <3> \\",
      '100 kB': `${'x '.repeat(45_000)}DATABASE_URL`,
      'one long word': 'ab'.repeat(40_000),
      'many words': Array.from({ length: 5000 }, (_, index) => `word${index}`).join(' '),
      HTML: '<script>alert(1)</script>',
      'another writing': 'データベースはどこですか'
    }
    for (const [why, message] of Object.entries(odd)) {
      const answer = await ask(message)
      t.equal(answer.status, 200, why)
      t.same(
        answer.events.filter(event => event.type === 'error'),
        [],
        why
      )
      t.not(said(answer), '', why)
    }
    t.match(annotationsOf(await ask('What is \0 DATABASE_URL?'))[0]?.source, { title: /Configuration › DATABASE_URL/ })
    t.same(problems(), [])
  })

  await t.test(
    'what a newcomer asks is found, what is asked first by the first passage, what is strange not at all',
    async t => {
      const pool = openPool(t, host.databaseUrl)
      const missed: object[] = []
      const ask = async ([question, ...places]: Asked, among: number) => {
        const found = await search(pool, question, 'english', among)
        if (!found.some(({ path, anchor }) => places.some(place => place === path || place === `${path}#${anchor}`)))
          missed.push({ question, found: found.map(({ path, anchor }) => `${path}#${anchor}`) })
      }
      for (const asked of questions) await ask(asked, 3)
      for (const asked of firstQuestions) await ask(asked, 1)
      // Documents change: a few may fall behind others that answer as well.
      t.ok(missed.length <= 3, `${questions.length} and ${firstQuestions.length} questions`, { missed })
      for (const question of strangeQuestions) t.same(await search(pool, question, 'english', 3), [], question)
    }
  )
})

t.test('documents of one’s own', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'help-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(
    join(folder, 'rückgabe.md'),
    '# Rückgabe\n\n## Fristen\n\nPakete kommen bis [Freitag](fristen.md#woche) zurück.\n'
  )
  writeFileSync(join(folder, '.draft.md'), '# Geheimes\n')
  const environment = {
    RESPONDER: 'help-centre',
    HELP_DIR: folder,
    HELP_LANGUAGE: 'german',
    HELP_URL: 'https://help.example.com/de'
  }
  const host = await openHost(t, environment)
  const headers = bearer((await signUp(host.url)).rawToken)
  const answer = await post(host.url, headers, { message: 'Welche Frist gilt für ein Paket?' })
  t.equal(
    said(answer),
    '**Fristen** (Rückgabe)\n\nPakete kommen bis [Freitag](https://help.example.com/de/fristen.md#woche) zurück.'
  )
  t.match(annotationsOf(answer), [
    {
      source: { type: 'url', title: 'Rückgabe › Fristen', url: 'https://help.example.com/de/r%C3%BCckgabe.md#fristen' }
    }
  ])

  await t.test('are read again when the host starts, and only what changed', async t => {
    const pool = openPool(t, host.databaseUrl)
    const index = async (language = 'german') => await indexFiles(pool, await readHelpFiles(folder), language)
    t.same(await index(), { documents: 1, changed: 0, removed: 0 })
    writeFileSync(join(folder, 'zahlung.md'), '# Zahlung\n\nMit Karte.\n')
    // Several at once, as when a service is started on several machines.
    const done = await Promise.all([index(), index(), index()])
    t.equal(
      done.reduce((sum, { changed }) => sum + changed, 0),
      1
    )
    t.match(await search(pool, 'Karten', 'german', 3), [
      { path: 'zahlung.md', title: 'Zahlung', heading: 'Zahlung', body: 'Mit Karte.' }
    ])
    rmSync(join(folder, 'zahlung.md'))
    t.same(await index(), { documents: 1, changed: 0, removed: 1 })
    t.same(await search(pool, 'Karten', 'german', 3), [])
    t.same(await index('simple'), { documents: 1, changed: 1, removed: 0 }, 'another language is another index')
    t.match(await readHelpFiles(ownDocuments()), [{ path: 'README.md' }], 'this project’s own begin with its README')

    await t.test('rare words tell more than common ones, names more than their parts', async t => {
      const write = (name: string, text: string) => writeFileSync(join(folder, `${name}.md`), text)
      for (let count = 0; count < 9; count++)
        write(`order-${count}`, `# Orders ${count}\n\nOrder after order after order.\n`)
      write('money', '# Money\n\nAn order can be paid back: that is a refund.\n')
      write('state', '# States\n\nIt is set by `ORDER_STATE_LATE` or lateAfterDays.\n')
      write(
        'late',
        '# State of late orders\n\nThe state of an order is late when it is late: an order, its state, late after days.\n'
      )
      await index('english')
      const first = async (question: string) => (await search(pool, question, 'english', 1))[0]?.path
      t.equal(await first('order refund'), 'money.md')
      t.equal(await first('What does ORDER_STATE_LATE do?'), 'state.md')
      t.equal(await first('order state late'), 'late.md')
      t.equal(await first('lateAfterDays'), 'state.md')
    })
  })
})
