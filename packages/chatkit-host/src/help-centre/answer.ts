import {
  type ActionResponder,
  type Annotation,
  progress,
  type Responder,
  say,
  type Turn,
  titleFrom,
  type UserMessageItem
} from 'fastify-chatkit'
import { excerpt } from './excerpt.ts'
import type { HelpCentre } from './help-centre.ts'
import type { Found } from './search.ts'
import { type SmallTalk, smallTalk } from './small-talk.ts'
import { chosenQuestion, type Suggestion, suggest } from './suggestions.ts'

/** Passages an answer is made of, at most. */
const MAX_PASSAGES = 3

/** How good others must be beside the best: to be shown with it, and to be suggested. */
const WORTH_SHOWING = 0.7
const WORTH_SUGGESTING = 0.4

/** Characters of the best passage, and of each other. */
const BEST_LENGTH = 1600
const OTHER_LENGTH = 700

const MAX_SUGGESTIONS = 3

/** Answers with the passages of a help centre that fit best. */
export function answerFrom(help: HelpCentre): Responder {
  return async function* (turn) {
    const question = textOf(turn.input)
    const talk = smallTalk(question)
    if (talk === null) nameThread(turn, question)
    if (!help.isReady) yield progress('Reading the documents', 'book-open')
    if (question.trim() === '') {
      yield* sayInPieces(turn, 'I can read text only. What would you like to know?')
    } else if (talk !== null) {
      yield* sayInPieces(
        turn,
        talk === 'greeting' ? `${REPLIES.greeting} ${await whatCanBeAsked(help)}` : REPLIES[talk]
      )
      if (talk === 'greeting') yield* suggest(turn, await beginnings(help))
    } else {
      const found = await findFor(turn, help, question, MAX_PASSAGES + 5)
      if (found.length === 0) {
        yield* sayInPieces(turn, `I found nothing about that in the documents. ${await whatCanBeAsked(help)}`)
        yield* suggest(turn, await beginnings(help))
      } else {
        const shown = worthShowing(found)
        const { text, annotations } = compose(help, shown, question)
        yield* sayInPieces(turn, text, annotations)
        yield* suggest(turn, await continuations(help, shown, found))
      }
    }
  }
}

const REPLIES: Record<SmallTalk, string> = {
  greeting: 'Hello! I look up answers in the documents.',
  thanks: 'You are welcome.',
  farewell: 'Goodbye!'
}

/**
 * Answers a suggestion that was chosen: its question joins the thread as the user's, and is answered as any other.
 *
 * @param respond what answers questions.
 */
export function answerSuggestions<Context>(respond: Responder<Context>): ActionResponder<Context> {
  return async function* (turn) {
    const question = chosenQuestion(turn)
    if (question === null) {
      yield* say(turn, 'Nothing is known here about this button.')
      return
    }
    const input: UserMessageItem = {
      type: 'user_message',
      id: turn.newItemId('user_message'),
      thread_id: turn.thread.id,
      created_at: new Date().toISOString(),
      content: [{ type: 'input_text', text: question }],
      attachments: [],
      inference_options: {}
    }
    yield { type: 'thread.item.done', item: input }
    yield* respond({ ...turn, thread: turn.thread, input })
  }
}

/** What the user said, tags as their names. */
export function textOf(input: UserMessageItem | null): string {
  return input?.content.map(part => part.text).join('') ?? ''
}

/** Names a thread after its first question; whoever wants another name may give it. */
export function nameThread(turn: Pick<Turn, 'thread'>, question: string): void {
  const title = titleFrom(question, 60)
  if (!turn.thread.title && title !== '') turn.thread.title = title
}

/** Passages about the turn's question, best first. "And in production?" is about what was asked before. */
export async function findFor(turn: Turn, help: HelpCentre, question: string, limit: number): Promise<Found[]> {
  const found = await help.find(question, limit)
  if (found.length > 0 || question.length > 200) return found
  const items = await turn.items.newest(10)
  const before = items.findLast(item => item.type === 'user_message' && item.id !== turn.input?.id)
  return before?.type === 'user_message' ? await help.find(`${question} ${textOf(before)}`, limit) : []
}

/** The best passages, parts of one section put together in its order. */
function worthShowing(found: readonly Found[]): Found[] {
  const best = found[0]?.score ?? 0
  const sections = new Map<string, Found[]>()
  for (const passage of found) {
    const section = `${passage.path}#${passage.anchor}`
    sections.set(section, [...(sections.get(section) ?? []), passage])
  }
  return [...sections.values()]
    .filter(([first]) => first !== undefined && first.score >= best * WORTH_SHOWING)
    .slice(0, MAX_PASSAGES)
    .flatMap(parts => {
      const [first] = parts
      const body = parts.sort((a, b) => a.position - b.position).map(part => part.body)
      return first === undefined ? [] : [{ ...first, body: body.join('\n\n') }]
    })
}

function compose(
  help: HelpCentre,
  shown: readonly Found[],
  question: string
): { text: string; annotations: Annotation[] } {
  let text = ''
  const annotations: Annotation[] = []
  for (const [index, passage] of shown.entries()) {
    const { path, title, heading, body } = passage
    const name = heading === title ? `**${escaped(title)}**` : `**${escaped(heading)}** (${escaped(title)})`
    const showing = {
      maxLength: index === 0 ? BEST_LENGTH : OTHER_LENGTH,
      resolve: (href: string) => help.resolve(path, href)
    }
    text += `${index === 0 ? '' : '\n\n'}${name}\n\n${excerpt(body, question, showing)}`
    annotations.push({ type: 'annotation', source: help.sourceOf(passage), index: text.length })
  }
  return { text, annotations }
}

/** A heading's words, which are no Markdown. */
function escaped(words: string): string {
  return words.replaceAll(/[\\`*[\]<>]/g, '\\$&')
}

async function whatCanBeAsked(help: HelpCentre): Promise<string> {
  const topics = await help.topics(8)
  return topics.length === 0
    ? 'There are no documents yet.'
    : `You can ask about what they say: ${topics.map(escaped).join(' · ')}.`
}

async function beginnings(help: HelpCentre): Promise<Suggestion[]> {
  const topics = await help.topics(MAX_SUGGESTIONS)
  return topics.map(title => ({ label: title, question: title }))
}

/** What else was found, then what comes next in the best document. */
async function continuations(
  help: HelpCentre,
  shown: readonly Found[],
  found: readonly Found[]
): Promise<Suggestion[]> {
  const [best] = shown
  if (best === undefined) return []
  const known = new Set(shown.map(nameOf))
  const suggestions: Suggestion[] = []
  const near = found.filter(({ score }) => score >= best.score * WORTH_SUGGESTING)
  for (const passage of [...near, ...(await help.following(best, MAX_SUGGESTIONS + MAX_PASSAGES))]) {
    const question = nameOf(passage)
    if (known.has(question) || suggestions.length === MAX_SUGGESTIONS) continue
    known.add(question)
    const { title, heading } = passage
    // A heading of another document says little without that document's name.
    const label = title === best.title || title === heading ? heading : `${title}: ${heading}`
    suggestions.push({ label: titleFrom(label, 48), question })
  }
  return suggestions
}

function nameOf({ title, heading }: Pick<Found, 'title' | 'heading'>): string {
  return heading === title ? title : `${heading} (${title})`
}

/** A few words at a time, so that a reader can begin to read. */
function sayInPieces(turn: Turn, text: string, annotations: Annotation[] = []) {
  return say(turn, text.match(/(?:\s*\S+){1,4}|\s+$/g) ?? [], { annotations })
}
