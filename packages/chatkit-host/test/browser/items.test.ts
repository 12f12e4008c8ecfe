import {
  action,
  ChatKitStreamError,
  type ItemDraft,
  notice,
  type Responder,
  type ResponderEvent,
  say,
  startWorkflow,
  streamWidget,
  type Turn,
  widgets
} from 'fastify-chatkit'
import { chatkitClient } from 'fastify-chatkit/client'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { DESK, openBrowser, violations, visit, withoutChromium } from '../fixtures/browser.ts'
import { openHost } from '../fixtures/host.ts'
import { bearer, signUp } from '../fixtures/people.ts'

/** One dot. */
const DOT =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const ELSEWHERE = 'https://elsewhere.example/x.png'

const { Badge, Card, Checkbox, Image, Input, Label, RadioGroup, Row, Select, Text, Textarea, Title } = widgets

/** What of an image in a page is asked here: the types of a browser are not those of this test. */
type Picture = { decode(): Promise<void>; naturalWidth: number }

const done = (item: ItemDraft): ResponderEvent => ({ type: 'thread.item.done', item })

async function* everything(turn: Turn) {
  const steps = startWorkflow(turn)
  yield* steps.add({ type: 'custom', title: 'Read the handbook', content: 'All **three** chapters' })
  yield* steps.add({
    type: 'web_search',
    title_query: 'handbook',
    sources: [{ type: 'url', title: 'The handbook', url: 'https://handbook.example/' }]
  })
  yield* steps.finish({ title: 'Looked it up' })
  const source = {
    type: 'url' as const,
    title: 'Chapter two',
    url: 'https://handbook.example/2',
    attribution: 'Handbook'
  }
  const file = { type: 'file' as const, title: 'Notes', filename: 'notes/june.md' }
  const annotations = [source, file, source].map(source => ({ type: 'annotation' as const, source }))
  yield done({
    type: 'assistant_message',
    id: turn.newItemId(),
    content: [{ type: 'output_text', text: 'It says so.', annotations }]
  })
  yield done({ type: 'generated_image', id: turn.newItemId('generated_image'), image: { id: 'i', url: DOT } })
  yield notice('warning', 'The handbook is **old**', 'Mind')
}

/** Of its sources the second is cited first. */
/** Wider than a phone, and stays in one piece. */
const RECIPE = `kitchen/${'soups/'.repeat(12)}leek.md`
const CITED = [
  'As the notes say [2], and so',
  ' does the handbook.',
  `\n\n| what | who |\n|---|---|\n| ${RECIPE} | Ada |`,
  '\n\nServe it:\n\n```js\nserve("soup")\n```'
]

function* cited(turn: Turn) {
  const notes = { type: 'file' as const, title: 'Notes', filename: 'notes/june.md' }
  const book = { type: 'url' as const, title: 'Chapter two', url: 'https://handbook.example/2' }
  const [first = '', second = '', third = ''] = CITED
  const text = CITED.join('')
  const at = (source: typeof notes | typeof book, index: number) => ({ type: 'annotation' as const, source, index })
  const annotations = [
    at(notes, 'As the notes say [2]'.length),
    at(book, first.length + second.length),
    at(notes, first.length + second.length + third.length),
    // Within a program, right after it, and nowhere.
    at(book, text.length - 8),
    at(book, text.length),
    at(book, text.length + 1)
  ]
  yield done({ type: 'assistant_message', id: turn.newItemId(), content: [{ type: 'output_text', text, annotations }] })
}

const booking = Card({
  asForm: true,
  children: [
    Row({ children: [Title({ value: 'Book a table' }), Badge({ label: 'new' })] }),
    Input({ name: 'who', placeholder: 'Who', required: true }),
    Label({ value: 'Your wishes', fieldName: 'wishes' }),
    Textarea({ name: 'wishes', placeholder: 'A quiet place' }),
    Select({ name: 'when', placeholder: 'When', options: [{ value: 'noon', label: 'At noon' }] }),
    RadioGroup({ name: 'where', ariaLabel: 'Where', options: [{ value: 'in', label: 'Inside' }] }),
    Checkbox({ name: 'dog', label: 'With a dog' }),
    Image({ src: DOT, alt: 'A dot' }),
    Image({ src: ELSEWHERE, alt: 'A picture of elsewhere' }),
    // Of a front end newer than this page.
    { type: 'Hologram', children: [Text({ value: 'Shown all the same' })] } as unknown as ReturnType<typeof Text>
  ],
  confirm: { label: 'Book', action: action({ type: 'book', payload: { table: 7 } }) }
})

let attempts = 0

/** Answers in the way it is asked to. */
const respond: Responder = async function* (turn) {
  turn.thread.title ??= 'All sorts'
  if (!turn.input) {
    const items = await turn.items.newest(9)
    const call = items.findLast(item => item.type === 'client_tool_call')
    yield* say(turn, call ? `Told: ${JSON.stringify(call.output)}` : 'Thank you')
    return
  }
  const question = turn.input.content.map(({ text }) => text).join('')
  if (question === 'everything') yield* everything(turn)
  else if (question === 'cited') yield* cited(turn)
  else if (question === 'form') yield* streamWidget(turn, booking)
  else if (question === 'tool')
    yield done({
      type: 'client_tool_call',
      id: turn.newItemId('client_tool_call'),
      call_id: 'c',
      name: 'where',
      arguments: {}
    })
  else if (question === 'questions')
    yield done({
      type: 'structured_input',
      id: turn.newItemId('structured_input'),
      inputs: [
        {
          type: 'multiple_choice',
          id: 'colour',
          question: 'Which colour?',
          options: [{ value: 'Red' }, { value: 'Blue' }]
        },
        { type: 'freeform', id: 'why', question: 'Why?', description: 'In a word' }
      ]
    })
  else if (question === 'fail') {
    attempts += 1
    if (attempts <= 2) throw new ChatKitStreamError({ message: 'Not today', allowRetry: true })
    yield* say(turn, 'Today, then')
  } else yield* say(turn, question)
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

async function ask(page: Page, question: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message', exact: true }).fill(question)
  await button(page, 'Send').click()
}

t.test('a page whose host signs nobody in', { skip: withoutChromium }, async t => {
  const first = await openHost(t)
  const ada = await signUp(first.url)
  const elsewhere = {
    DATABASE_URL: first.databaseUrl,
    BETTER_AUTH_MOUNT: '0',
    BETTER_AUTH_URL: 'https://app.example.com'
  }
  const host = await openHost(t, elsewhere, { respond })
  const client = chatkitClient({ url: `${host.url}/support/chatkit`, getHeaders: () => bearer(ada.rawToken) })
  let long = ''
  for await (const event of client.createThread('Message 0'))
    if (event.type === 'thread.created') long = event.thread.id
  for (let count = 1; count < 20; count += 1) for await (const _ of client.addMessage(long, `Message ${count}`));
  // Each with words of its own: of equal requests at once, the second joins the first.
  const others = Array.from({ length: 6 }, async (_, row) => {
    for (let count = 0; count < 5; count += 1) for await (const _ of client.createThread(`Another ${row} ${count}`));
  })
  await Promise.all(others)

  const visitor = await visit(await openBrowser(t), [host.url])
  const { page, expecting } = visitor
  const said = page.getByRole('article', { name: 'You' })
  const answers = page.getByRole('article', { name: 'Assistant' })
  const step = (title: string, work: (t: Test) => Promise<void>) =>
    t.test(title, async t => {
      await work(t)
      t.strictSame(visitor.trouble.splice(0), [], 'nothing went wrong unseen')
    })

  await step('says where to sign in, and takes a token from there', async t => {
    await page.goto(`${host.url}/#${long}`)
    const dialog = page.getByRole('dialog', { name: 'Sign in' })
    await dialog.getByRole('link', { name: 'https://app.example.com' }).waitFor()
    t.same(await violations(page), [])
    const use = async (token: string) => {
      await dialog.getByRole('textbox', { name: 'Token' }).fill(token)
      await button(page, 'Use token').click()
    }
    await use('Not a token!')
    await dialog.getByRole('alert').filter({ hasText: 'This is no token' }).waitFor()
    // Of the list and of the conversation.
    await expecting([/^refused: 401/, /^console: .*401/], async () => {
      await use('a-token-that-nobody-has')
      await dialog.getByText('Sign in to go on').waitFor()
    })
    await use(`Bearer ${ada.rawToken}`)
    await said.last().getByText('Message 19').waitFor()
    await page.reload()
    await said.last().getByText('Message 19').waitFor()
    t.equal(new URL(page.url()).hash, `#${long}`)
  })

  await step('goes back in a long conversation, and in a long list of them', async t => {
    t.equal(await said.count(), 15)
    await button(page, 'Show earlier messages').click()
    await said.filter({ hasText: /^You ?Message 0$/ }).waitFor()
    t.same(
      await said.locator('.said').allTextContents(),
      Array.from({ length: 20 }, (_, count) => `Message ${count}`)
    )
    t.equal(await button(page, 'Show earlier messages').isVisible(), false)
    const links = page.getByRole('navigation', { name: 'Conversations' }).getByRole('link')
    await links.nth(29).waitFor()
    t.equal(await links.count(), 30)
    await button(page, 'Show older conversations').click()
    await links.nth(30).waitFor()
    t.equal(await links.count(), 31)
    t.equal(await links.nth(30).getAttribute('aria-current'), 'page')
  })

  await step('shows steps, sources, pictures and notices', async t => {
    await button(page, 'New conversation').click()
    await ask(page, 'everything')
    await button(page, 'Answer again').waitFor()
    const sources = page.getByRole('group', { name: 'Sources' })
    t.same(
      await sources.getByRole('listitem').allTextContents(),
      ['Chapter twoHandbook', 'Notesnotes/june.md'],
      'each once'
    )
    t.equal(await sources.getByRole('link').getAttribute('href'), 'https://handbook.example/2')
    await page.getByText('Looked it up').click()
    await page.getByRole('link', { name: 'The handbook' }).waitFor()
    const picture = page.locator('img[alt="Picture that was made for you"]')
    t.equal(await picture.evaluate((image: Picture) => image.decode().then(() => image.naturalWidth)), 1)
    await page.getByRole('note').filter({ hasText: 'MindThe handbook is old' }).waitFor()
    t.same(await violations(page), [])
  })

  await step('cites where it is said, by the numbers of the list below', async t => {
    await ask(page, 'cited')
    const answer = answers.filter({ hasText: 'As the notes say' })
    const marks = answer.locator('sup')
    await marks.first().waitFor()
    t.same(await marks.allTextContents(), ['source 1', 'source 2', 'source 1', 'source 2'])
    t.match(
      await answer.locator('p').first().textContent(),
      /^As the notes saysource 1, and so does the handbook\.source 2$/
    )
    t.same(await answer.locator('td').allTextContents(), [RECIPE, 'Adasource 1'])
    t.equal(await answer.locator('code').textContent(), 'serve("soup")')
    t.equal(await answer.locator('p').last().textContent(), 'Serve it:source 2')
    t.equal(await marks.nth(1).getByRole('link').getAttribute('href'), 'https://handbook.example/2')
    t.equal(await marks.first().getAttribute('title'), 'Notes')
    t.same(await answer.getByRole('group', { name: 'Sources' }).getByRole('listitem').allTextContents(), [
      'Notesnotes/june.md',
      'Chapter two'
    ])
    t.same(await violations(page), [])
    await page.setViewportSize({ width: 390, height: 844 })
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), 390, 'a wide table scrolls by itself')
    await page.setViewportSize(DESK)
  })

  await step('a paragraph is read from the side that its letters ask for', async t => {
    const text = 'שלום Better Auth'
    await ask(page, text)
    for (const one of [said.last().locator('.said'), answers.last().locator('.markdown p')]) {
      await one.filter({ hasText: text }).waitFor()
      const places = await one.evaluate(element => {
        const range = element.ownerDocument.createRange()
        const at = (index: number) => {
          range.setStart(element.firstChild, index)
          range.setEnd(element.firstChild, index + 1)
          return range.getBoundingClientRect().left
        }
        return [at(0), at(5)]
      })
      t.ok((places[0] ?? 0) > (places[1] ?? 0), 'Hebrew begins on the right')
    }
  })

  await step('catches up with another window', async () => {
    const thread = new URL(page.url()).hash.slice(1)
    for await (const _ of client.addMessage(thread, 'From my telephone'));
    await page.evaluate('dispatchEvent(new Event("focus"))')
    await said.last().getByText('From my telephone').waitFor()
  })

  await step('shows a form, and sends what is in it', async t => {
    await ask(page, 'form')
    await page.getByText('Shown all the same').waitFor()
    await page.getByRole('link', { name: 'A picture of elsewhere' }).waitFor()
    t.equal(await page.getByRole('img', { name: 'A dot' }).count(), 1)
    t.same(await violations(page), [])
    await button(page, 'Book').click()
    t.equal(
      await page.getByPlaceholder('Who').evaluate(input => input.matches(':invalid:focus')),
      true,
      'first what is required'
    )
    await page.getByPlaceholder('Who').fill('Ada')
    await page.getByLabel('Your wishes').fill('quiet')
    await page.getByLabel('When').selectOption('noon')
    await page.getByLabel('Inside').check()
    await page.getByLabel('With a dog').check()
    await expecting([/^refused: 400/, /^console: .*400/], async () => {
      const [request] = await Promise.all([
        page.waitForRequest(request => request.postData()?.includes('threads.custom_action') === true),
        button(page, 'Book').click()
      ])
      t.match(request.postDataJSON(), {
        params: {
          item_id: /^msg_/,
          action: {
            type: 'book',
            payload: { table: 7, who: 'Ada', wishes: 'quiet', when: 'noon', where: 'in', dog: 'true' }
          }
        }
      })
      await page.getByRole('alert').filter({ hasText: 'does not support actions' }).waitFor()
    })
    t.equal(await button(page, 'Try again').count(), 0, 'which is no use to do again')
  })

  await step('asks questions, and shows what was answered', async t => {
    await ask(page, 'questions')
    const form = page.getByRole('form', { name: 'Questions' })
    await form.getByLabel('Blue').check()
    t.same(await violations(page), [])
    await form.getByRole('button', { name: 'Answer', exact: true }).click()
    await answers.filter({ hasText: 'Thank you' }).waitFor()
    t.equal(await page.locator('.answers').textContent(), 'Which colour?BlueWhy?Skipped')
    t.equal(await form.count(), 0)
  })

  await step('tells a model that it has no tools', async () => {
    await ask(page, 'tool')
    await answers.filter({ hasText: 'Told: {"error":"This page has no tool called where"}' }).waitFor()
  })

  await step('says what went wrong, and tries again', async t => {
    await ask(page, 'fail')
    await page.getByRole('alert').filter({ hasText: 'Not today' }).waitFor()
    await button(page, 'Try again').click()
    await page.getByRole('alert').filter({ hasText: 'Not today' }).waitFor()
    await page.reload()
    await page.getByText('This has not been answered.').waitFor()
    await button(page, 'Try again').click()
    await answers.last().getByText('Today, then').waitFor()
    t.equal(await page.getByText('This has not been answered.').count(), 0)
    t.equal(await said.filter({ hasText: 'fail' }).count(), 1, 'the question is asked once')
  })

  await step('a conversation that is not there is no other’s', async t => {
    await expecting([/^refused: 404/, /^console: .*404/], async () => {
      await page.goto(`${host.url}/#thr_nobody`)
      await page.getByRole('alert').filter({ hasText: 'This conversation is not there' }).waitFor()
    })
    t.equal(await said.count(), 0)
    await page.goto(`${host.url}/#%zz`)
    await page.getByText('What would you like to know?').waitFor()
  })
})
