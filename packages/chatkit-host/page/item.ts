import type { FormAnswer } from './chat.ts'
import { showMarks, sourcesOf, withMarks } from './citations.ts'
import type { Attachment, ItemOf, Source, Task, ThreadItem } from './client/index.js'
import { h, icon, iconButton } from './dom.ts'
import { link, markdown, showMarkdown } from './markdown.ts'
import { questions } from './questions.ts'
import { picture, type WidgetAction, widget } from './widget.ts'

/** What can be done to an item. */
export interface ItemActions {
  act(itemId: string, action: WidgetAction): Promise<void>
  answer(itemId: string, input: FormAnswer): void
  rate(itemId: string, kind: 'positive' | 'negative'): void
  copy(text: string): void
  /** `null` when this answer cannot be asked for again. */
  retry: ((itemId: string) => void) | null
  /** The address at which this browser finds a file of the server's. */
  localUrl(url: string): string
}

/** How an item stands. */
export interface ItemState {
  unfinished: boolean
  rating: 'positive' | 'negative' | null
  /** Of an image that is being made, 0 to 1. */
  progress: number | null
}

/** An item as an element; `null` for one that shows nothing. */
export function itemElement(item: ThreadItem, state: ItemState, actions: ItemActions): HTMLElement | null {
  switch (item.type) {
    case 'user_message':
      return userMessage(item, actions)
    case 'assistant_message':
      return assistantMessage(item, state, actions)
    case 'widget':
      return entry(
        'widget-item',
        'Assistant',
        widget(item.widget, action => actions.act(item.id, action))
      )
    case 'structured_input':
      return entry(
        'widget-item',
        'Assistant',
        questions(item, input => actions.answer(item.id, input))
      )
    case 'workflow':
      return workflow(item, state)
    case 'task':
      return h('li', { class: 'item steps' }, h('ul', {}, task(item.task)))
    case 'generated_image':
      return entry('image-item', 'Assistant', generatedImage(item, state))
    default:
      return null
  }
}

/** Shows more of an answer that streams, in the element it has. */
export function updateAnswer(element: HTMLElement, item: ItemOf<'assistant_message'>): void {
  const body = element.querySelector('.markdown')
  if (body instanceof HTMLElement) showMarkdown(body, textOf(item))
}

function entry(style: string, who: string, ...children: (Node | null)[]): HTMLElement {
  return h(
    'li',
    { class: `item ${style}` },
    h('article', { 'aria-label': who }, h('h2', { class: 'visually-hidden' }, who), ...children)
  )
}

function userMessage(item: ItemOf<'user_message'>, { localUrl }: ItemActions): HTMLElement {
  const text = item.content.map(part => (part.type === 'input_tag' ? `@${part.text}` : part.text)).join('')
  return entry(
    'user',
    'You',
    item.quoted_text ? h('blockquote', {}, item.quoted_text) : null,
    text === '' ? null : h('p', { class: 'said' }, text),
    item.attachments.length === 0
      ? null
      : h(
          'ul',
          { class: 'attachments', 'aria-label': 'Attached files' },
          ...item.attachments.map(one => attachment(one, localUrl))
        )
  )
}

function attachment(file: Attachment, localUrl: (url: string) => string): HTMLElement {
  if (file.type === 'image')
    return h('li', {}, h('img', { src: localUrl(file.preview_url), alt: file.name, loading: 'lazy' }))
  return h('li', { class: 'chip' }, icon('file'), file.name)
}

/** The whole text of an answer. */
export function textOf({ content }: ItemOf<'assistant_message'>): string {
  return content.map(({ text }) => text).join('\n\n')
}

function assistantMessage(
  item: ItemOf<'assistant_message'>,
  { unfinished, rating }: ItemState,
  actions: ItemActions
): HTMLElement {
  const body = markdown(unfinished ? textOf(item) : withMarks(item.content))
  const made = entry('assistant', 'Assistant', body)
  made.classList.toggle('streaming', unfinished)
  if (unfinished) return made
  const found = sourcesOf(item.content)
  showMarks(body, found)
  const { retry } = actions
  const thumb = (kind: 'positive' | 'negative') =>
    iconButton(
      kind === 'positive' ? 'Good answer' : 'Bad answer',
      kind === 'positive' ? 'up' : 'down',
      () => actions.rate(item.id, kind),
      {
        'aria-pressed': String(rating === kind)
      }
    )
  const article = made.firstElementChild
  if (found.length > 0) article?.append(sources(found))
  article?.append(
    h(
      'div',
      { class: 'tools', role: 'group', 'aria-label': 'About this answer' },
      iconButton('Copy answer', 'copy', () => actions.copy(textOf(item))),
      thumb('positive'),
      thumb('negative'),
      retry && iconButton('Answer again', 'retry', () => retry(item.id))
    )
  )
  return made
}

function sources(found: readonly Source[]): HTMLElement {
  const entries = found.map(source =>
    h(
      'li',
      {},
      source.type === 'url' ? link(source.url, source.title) : h('span', {}, source.title),
      source.type === 'file' && source.filename !== source.title ? h('small', {}, source.filename) : null,
      source.type === 'url' && source.attribution ? h('small', {}, source.attribution) : null,
      source.description ? h('small', {}, source.description) : null
    )
  )
  return h(
    'div',
    { class: 'sources', role: 'group', 'aria-label': 'Sources' },
    h('h3', {}, 'Sources'),
    h('ol', {}, ...entries)
  )
}

function workflow(
  { workflow: { summary, tasks, type, expanded } }: ItemOf<'workflow'>,
  { unfinished }: ItemState
): HTMLElement {
  const { length } = tasks
  let title = type === 'reasoning' ? 'Thinking' : (tasks.at(-1)?.title ?? 'Working')
  if (summary && 'title' in summary) title = summary.title
  else if (summary) title = `${type === 'reasoning' ? 'Thought' : 'Worked'} for ${seconds(summary.duration)}`
  else if (!unfinished) title = type === 'reasoning' ? 'Thought' : `${length} ${length === 1 ? 'step' : 'steps'}`
  const details = h(
    'details',
    { open: expanded || unfinished },
    h('summary', { class: unfinished ? 'working' : null }, title),
    h('ul', {}, ...tasks.map(task))
  )
  return h('li', { class: 'item steps' }, details)
}

function seconds(count: number): string {
  if (count === 0) return 'a moment'
  if (count < 60) return count === 1 ? '1 second' : `${count} seconds`
  const minutes = Math.round(count / 60)
  return minutes === 1 ? '1 minute' : `${minutes} minutes`
}

function task(step: Task): HTMLElement {
  const titles = {
    custom: 'Step',
    web_search: 'Searched the web',
    thought: 'Thought',
    file: 'Read files',
    image: 'Made a picture'
  }
  const title = step.title ?? (step.type === 'web_search' ? step.title_query : undefined) ?? titles[step.type]
  const found = 'sources' in step ? step.sources : []
  return h(
    'li',
    { class: `task-${step.status_indicator}` },
    step.status_indicator === 'complete' ? icon('check') : icon('dot'),
    h('span', {}, title),
    'content' in step && step.content ? markdown(step.content) : null,
    found.length === 0
      ? null
      : h('ul', {}, ...found.map(one => h('li', {}, one.type === 'url' ? link(one.url, one.title) : one.title)))
  )
}

function generatedImage({ image }: ItemOf<'generated_image'>, { unfinished, progress }: ItemState): HTMLElement {
  return h(
    'figure',
    {},
    image ? picture(image.url, 'Picture that was made for you') : null,
    unfinished ? h('progress', { 'aria-label': 'Making a picture', max: 1, value: progress }) : null
  )
}
