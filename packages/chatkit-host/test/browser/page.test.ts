import type { Locator, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { DESK, openBrowser, type Visitor, violations, visit, withoutChromium } from '../fixtures/browser.ts'
import { openHost } from '../fixtures/host.ts'
import { patient } from '../fixtures/patient.ts'
import { password } from '../fixtures/people.ts'
import { keepScreen } from '../fixtures/screens.ts'

const QUESTION = 'How do I answer from my own documents?'

const box = (page: Page) => page.getByRole('textbox', { name: 'Message', exact: true })
const button = (place: Page | Locator, name: string) => place.getByRole('button', { name, exact: true })
const messages = (page: Page) => page.getByRole('list', { name: 'Messages' }).getByRole('article')
// Suggestions are the assistant's as well.
const lastAnswer = (page: Page) =>
  messages(page)
    .and(page.getByLabel('Assistant'))
    .filter({ has: page.locator('.markdown') })
    .last()
/** Waits until typing goes there. */
const focused = (place: Locator) => place.and(place.page().locator(':focus')).waitFor()
const conversations = (page: Page) => page.getByRole('navigation', { name: 'Conversations' }).getByRole('link')

/** Asks, and waits for the whole answer. */
async function ask(page: Page, question: string): Promise<void> {
  await box(page).fill(question)
  await box(page).press('Enter')
  await messages(page).getByText(question, { exact: true }).last().waitFor()
  await button(page, 'Answer again').waitFor()
}

/** To where the conversation begins. */
async function toStart(page: Page): Promise<void> {
  await page.locator('#scroller').evaluate(scroller => {
    scroller.scrollTop = 0
  })
}

/** What an administrator does, or somebody who has lost a telephone. */
async function revokeSessions({ context }: Visitor, url: string): Promise<void> {
  const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
  const reply = await fetch(`${url}/api/auth/revoke-sessions`, {
    method: 'POST',
    headers: { cookie, origin: url, 'content-type': 'application/json' },
    body: '{}'
  })
  if (!reply.ok) throw new Error(`revoking answered ${reply.status}`)
}

/** Each would run a script, call another site or change the page, were it taken for more than text. */
const HARMFUL = [
  '<img src=x onerror="window.harmed = 1">',
  '<script>window.harmed = 1</script>',
  '[a](javascript:window.harmed=1) [b](JaVaScRiPt:alert(1)) [c](data:text/html,<script>alert(1)</script>) <javascript:alert(1)>',
  '![picture](https://elsewhere.example/x.png) ![other](javascript:alert(1))',
  '<svg onload="window.harmed = 1"></svg><iframe srcdoc="<script>parent.harmed = 1</script>"></iframe>',
  '<style>body { display: none }</style><form action="https://elsewhere.example"><input autofocus></form>',
  '```html\n</code><script>window.harmed = 1</script>\n```\n\n| a |\n|---|\n| <b onclick="window.harmed = 1">b</b> |'
]

/** One dot. */
const DOT = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64'
)

async function signUp(page: Page, name: string): Promise<void> {
  await button(page, 'Create an account').click()
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill(name)
  await page.getByLabel('E-mail').fill(`${name.toLowerCase()}@example.com`)
  await page.getByLabel('Password').fill(password)
  await button(page, 'Sign up').click()
  await button(page, 'Sign out').waitFor()
}

t.test('somebody and the page', { skip: withoutChromium }, async t => {
  const files = t.testdir({ 'notes.txt': 'Remember the milk.', 'empty.txt': '' })
  const host = await openHost(t, { RESPONDER: 'help-centre', DATA_DIR: files, ATTACHMENT_MB: '1' })
  // Another host of the same database and name, to which the same cookie goes.
  const patientHost = await openHost(
    t,
    { DATABASE_URL: host.databaseUrl, DATA_DIR: files, ATTACHMENT_MB: '1' },
    { respond: patient }
  )
  const browser = await openBrowser(t)
  const ada = await visit(browser, [host.url, patientHost.url])
  const { page } = ada
  const { expecting } = ada
  let broken = false
  /** A part of the story, in which nothing may go wrong unseen. What comes after one that failed is not tried. */
  const step = (title: string, work: (t: Test) => Promise<void>) =>
    t.test(title, { skip: broken && 'the story broke off before' }, async t => {
      broken = true
      await work(t)
      t.strictSame(ada.trouble.splice(0), [], 'nothing went wrong unseen')
      broken = !t.passing()
    })

  await step('she comes to a page that asks her to sign in', async t => {
    await page.goto(host.url)
    await page.getByRole('dialog', { name: 'Sign in' }).waitFor()
    t.same(await violations(page), [])
    await keepScreen(page, 'signed-out')
    await button(page, 'Create an account').click()
    await page.getByRole('dialog', { name: 'Create an account' }).waitFor()
    t.same(await violations(page), [])
    await button(page, 'I have an account').click()
  })

  await step('a wrong password is said in the dialog, and she signs up', async t => {
    await expecting([/^refused: 401 .*sign-in\/email/, /^console: .*401/], async () => {
      const dialog = page.getByRole('dialog')
      await dialog.getByLabel('E-mail').fill('ada@example.com')
      await dialog.getByLabel('Password').fill('not the password')
      await button(dialog, 'Sign in').click()
      await dialog.getByRole('alert').filter({ hasText: /\w/ }).waitFor()
    })
    await signUp(page, 'Ada')
    t.equal(await page.getByRole('complementary').getByText('ada@example.com').count(), 1)
    await focused(box(page))
    t.same(await violations(page), [])
  })

  await step('she asks, and is answered from the documents, with sources', async t => {
    await ask(page, QUESTION)
    const answer = lastAnswer(page)
    t.match(await answer.textContent(), /HELP_DIR/)
    t.ok((await answer.getByRole('group', { name: 'Sources' }).getByRole('listitem').count()) > 0)
    t.equal(await page.title(), `${QUESTION} · Chat`)
    await page
      .getByRole('status')
      .filter({ hasText: /^Assistant: / })
      .waitFor()
    t.same(await conversations(page).allTextContents(), [QUESTION])
    t.same(await violations(page), [])
  })

  await step('she says what she thinks of the answer', async () => {
    await button(lastAnswer(page), 'Good answer').click()
    await page.getByRole('button', { name: 'Good answer', pressed: true }).waitFor()
    await button(lastAnswer(page), 'Bad answer').click()
    await page.getByRole('button', { name: 'Good answer', pressed: false }).waitFor()
  })

  await step('a reload comes back to the conversation', async t => {
    const before = await messages(page).allTextContents()
    t.match(new URL(page.url()).hash, /^#thr_/)
    await page.reload()
    await messages(page)
      .nth(before.length - 1)
      .waitFor()
    t.same(await messages(page).allTextContents(), before)
    t.equal(await page.title(), `${QUESTION} · Chat`)
  })

  await step('in the dark and on a phone it is as readable, and nothing scrolls sideways', async t => {
    // So high that the question, its answer and the sources are in one picture.
    await page.setViewportSize({ width: 1010, height: 960 })
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      await toStart(page)
      await keepScreen(page, `conversation-${colorScheme}`)
    }
    await page.emulateMedia({ colorScheme: 'light' })
    await page.setViewportSize({ width: 390, height: 844 })
    await toStart(page)
    await keepScreen(page, 'phone')
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), 390, 'nothing is wider than the screen')
    t.same(await violations(page), [], 'phone')
    t.equal(await conversations(page).count(), 0, 'the list is away')
    await page.getByRole('button', { name: 'Conversations' }).click()
    await conversations(page).first().waitFor()
    t.same(await violations(page), [], 'with the list')
    await page.keyboard.press('Escape')
    await conversations(page).first().waitFor({ state: 'hidden' })
    await focused(page.getByRole('button', { name: 'Conversations' }))
    await page.setViewportSize(DESK)
  })

  await step('she renames it, and begins another', async t => {
    await button(page, 'Rename conversation').click()
    const dialog = page.getByRole('dialog', { name: 'Rename conversation' })
    t.same(await violations(page), [])
    await dialog.getByLabel('Title').fill('About documents')
    await dialog.getByLabel('Title').press('Enter')
    await page.getByRole('heading', { name: 'About documents', level: 1 }).waitFor()
    await button(page, 'New conversation').click()
    await page.getByText('What would you like to know?').waitFor()
    await focused(box(page))
    await ask(page, 'How is it tested?')
    t.same(await conversations(page).allTextContents(), ['How is it tested?', 'About documents'])
    t.equal(await page.locator('nav a[aria-current="page"]').textContent(), 'How is it tested?')
  })

  await step('deleting asks first', async t => {
    const dialog = page.getByRole('alertdialog', { name: 'Delete this conversation?' })
    await button(page, 'Delete conversation').click()
    await dialog.waitFor()
    t.same(await violations(page), [])
    await focused(button(dialog, 'Cancel'))
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
    t.equal(await conversations(page).count(), 2)
    await button(page, 'Delete conversation').click()
    await button(dialog, 'Delete').click()
    await conversations(page).nth(1).waitFor({ state: 'detached' })
    t.same(await conversations(page).allTextContents(), ['About documents'])
    await page.getByText('What would you like to know?').waitFor()
    t.equal(new URL(page.url()).hash, '')
    await page.reload()
    await conversations(page).first().waitFor()
    t.same(await conversations(page).allTextContents(), ['About documents'])
  })

  await step('somebody else, on the same machine, sees none of it', async t => {
    await conversations(page).first().click()
    await messages(page).first().waitFor()
    const address = page.url()
    const bob = await visit(browser, [host.url])
    await bob.expecting([/^refused: 404 .*support\/chatkit/, /^console: .*404/], async () => {
      await bob.page.goto(address)
      await signUp(bob.page, 'Bob')
      await bob.page.getByRole('alert').getByText('This conversation is not there').waitFor()
    })
    t.equal(await conversations(bob.page).count(), 0)
    t.equal(await messages(bob.page).count(), 0)
    t.strictSame(bob.trouble, [])
    await bob.context.close()
  })

  await step('a session that has ended asks to sign in, keeps what was written, and goes on', async t => {
    await revokeSessions(ada, host.url)
    const dialog = page.getByRole('dialog', { name: 'Sign in' })
    await expecting([/^refused: 401 .*support\/chatkit/, /^console: .*401/], async () => {
      await box(page).fill('And where is that written?')
      await box(page).press('Enter')
      await dialog.getByText('Your session has ended').waitFor()
    })
    t.equal(await box(page).inputValue(), 'And where is that written?')
    t.same(await violations(page), [])
    await page.keyboard.press('Escape')
    await page.getByRole('alert').getByText('You are not signed in any more').waitFor()
    await expecting([/^refused: 401 .*support\/chatkit/, /^console: .*401/], async () => {
      await button(page, 'Try again').click()
      await dialog.getByText('Your session has ended').waitFor()
    })
    t.equal(await dialog.getByLabel('E-mail').inputValue(), 'ada@example.com')
    await dialog.getByLabel('Password').fill(password)
    await dialog.getByLabel('Password').press('Enter')
    await messages(page).getByText('And where is that written?').waitFor()
    await button(page, 'Answer again').waitFor()
    t.equal(await box(page).inputValue(), '')
  })

  await step('without a connection nothing is lost, and it can be tried again', async t => {
    await expecting(
      [/^failed: POST .*ERR_INTERNET_DISCONNECTED/, /^console: .*ERR_INTERNET_DISCONNECTED/],
      async () => {
        await ada.context.setOffline(true)
        await page.getByRole('status').getByText('You are offline').waitFor()
        await box(page).fill('What happens in an outage?')
        await button(page, 'Send').click()
        await page.getByRole('alert').getByText('The server cannot be reached').waitFor()
      }
    )
    t.equal(await box(page).inputValue(), 'What happens in an outage?')
    t.same(await violations(page), [])
    await ada.context.setOffline(false)
    await page.getByText('You are offline').waitFor({ state: 'hidden' })
    await button(page, 'Send').click()
    await messages(page).getByText('What happens in an outage?', { exact: true }).waitFor()
    await button(page, 'Answer again').waitFor()
  })

  await step('an answer that runs can be stopped, and what there is of it stays', async t => {
    await page.goto(patientHost.url)
    await box(page).fill('Count')
    await button(page, 'Send').click()
    await lastAnswer(page).getByText('One, two, three').waitFor()
    t.same(await violations(page), [])
    await expecting([/^failed: POST .*ERR_ABORTED/], async () => {
      await button(page, 'Stop').click()
      await button(page, 'Answer again').waitFor()
    })
    await focused(box(page))
    await page.reload()
    await lastAnswer(page).getByText('One, two, three').waitFor()
  })

  await step('all of it works by keyboard alone', async t => {
    const { keyboard } = page
    await page.reload()
    await lastAnswer(page).waitFor()
    await keyboard.type('Good day')
    await keyboard.press('Shift+Enter')
    await keyboard.type('and good night')
    t.equal(await box(page).inputValue(), 'Good day\nand good night')
    await keyboard.press('Enter')
    await lastAnswer(page).getByText('and good night').waitFor()
    await button(page, 'Answer again').waitFor()
    await keyboard.type('Count')
    await expecting([/^failed: POST .*ERR_ABORTED/], async () => {
      await keyboard.press('Enter')
      await lastAnswer(page).getByText('One, two, three').waitFor()
      await keyboard.press('Escape')
      await button(page, 'Answer again').waitFor()
    })
    await page.reload()
    await lastAnswer(page).waitFor()
    const reached = new Set<string>()
    await keyboard.press('Shift+Tab')
    for (let presses = 0; presses < 60; presses += 1) {
      const name = await page.evaluate<string>(
        '(e => e === document.body ? "" : e.ariaLabel || e.textContent.trim())(document.activeElement)'
      )
      reached.add(name)
      if (name === 'Go to the message box') break
      await keyboard.press('Shift+Tab')
    }
    for (const name of ['Answer again', 'Good answer', 'Delete conversation', 'Rename conversation', 'Sign out'])
      t.ok(reached.has(name), `${name} is reached with Tab`)
    await keyboard.press('Enter')
    await focused(box(page))
    await conversations(page).first().focus()
    await keyboard.press('ArrowDown')
    await focused(conversations(page).nth(1))
    await keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'About documents' }).waitFor()
  })

  await step('an answer that is meant to do harm does none', async t => {
    await button(page, 'New conversation').click()
    for (const [index, text] of HARMFUL.entries()) {
      await box(page).fill(text)
      await box(page).press('Enter')
      await messages(page)
        .nth(2 * index + 1)
        .waitFor()
      await button(page, 'Answer again').waitFor()
    }
    const answers = page.getByLabel('Messages').locator('.markdown')
    t.equal(await answers.count(), HARMFUL.length)
    t.equal(await answers.locator('img, script, style, iframe, object, form, svg').count(), 0)
    const hrefs = await answers.locator('a').evaluateAll(links => links.map(link => link.getAttribute('href')))
    t.same(
      hrefs.filter(href => !/^https:/.test(href ?? '')),
      []
    )
    t.equal(await page.evaluate('window.harmed === undefined'), true)
    t.same(await violations(page), [])
  })

  await step('files go along with a question', async t => {
    await button(page, 'New conversation').click()
    await page.getByLabel('Files', { exact: true }).setInputFiles([
      { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('Remember the milk.') },
      { name: 'dot.png', mimeType: 'image/png', buffer: DOT },
      { name: 'empty.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) }
    ])
    await page.getByRole('alert').getByText('empty.txt is empty.').waitFor()
    const chips = page.getByRole('list', { name: 'Files to be sent' }).getByRole('listitem')
    await button(page, 'Remove notes.txt').waitFor()
    for (const name of ['notes.txt', 'dot.png'])
      await page.getByRole('progressbar', { name: `Sending ${name}` }).waitFor({ state: 'detached' })
    t.same(await chips.allTextContents(), ['notes.txt', 'dot.png'])
    t.same(await violations(page), [])
    await button(page, 'Remove notes.txt').click()
    await ask(page, 'Look at this')
    const picture = page.getByRole('img', { name: 'dot.png' })
    await picture.waitFor()
    t.equal(await picture.evaluate(image => image.decode().then(() => image.naturalWidth)), 1)
  })

  await step('signing out leaves nothing behind', async t => {
    const thread = page.url()
    await button(page, 'Sign out').click()
    await page.getByRole('dialog', { name: 'Sign in' }).waitFor()
    t.equal(await conversations(page).count(), 0)
    t.equal(await messages(page).count(), 0)
    // With a query it is a new visit, and no step inside the page.
    await page.goto(thread.replace('#', '?#'))
    await page.getByRole('dialog', { name: 'Sign in' }).waitFor()
    t.equal(await messages(page).count(), 0)
  })
})
