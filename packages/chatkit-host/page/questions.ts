import type { FormAnswer } from './chat.ts'
import type { ItemOf } from './client/index.js'
import { h } from './dom.ts'

type Item = ItemOf<'structured_input'>
type Question = Item['inputs'][number]

/** Questions to the user: a form while they wait for an answer, then what was answered. */
export function questions(item: Item, answer: (input: FormAnswer) => void): HTMLElement {
  if (item.status !== 'pending') {
    const given = item.inputs.flatMap(({ question, answer }) => [
      h('dt', {}, question),
      h('dd', {}, answer && !answer.skipped ? answer.values.join(', ') : 'Skipped')
    ])
    return h('dl', { class: 'answers' }, ...given)
  }
  const form = h(
    'form',
    { class: 'widget w-card', 'aria-label': 'Questions' },
    ...item.inputs.map(field),
    h(
      'div',
      { class: 'w-row w-end' },
      h('button', { type: 'button', class: 'button', on: { click: () => answer({ status: 'skipped' }) } }, 'Skip'),
      h('button', { type: 'submit', class: 'button primary' }, 'Answer')
    )
  )
  form.addEventListener('submit', event => {
    event.preventDefault()
    const data = new FormData(form)
    const answers = item.inputs.map(({ id }) => [id, { values: data.getAll(id).map(String).filter(Boolean) }] as const)
    answer({ status: 'answered', answers: Object.fromEntries(answers) })
  })
  return form
}

function field(question: Question): HTMLElement {
  if (question.type === 'freeform')
    return h(
      'label',
      { class: 'field' },
      question.question,
      question.description && h('small', { class: 'w-caption' }, question.description),
      h('textarea', { name: question.id, rows: 2 })
    )
  const type = question.multiple ? 'checkbox' : 'radio'
  return h(
    'fieldset',
    { class: 'field' },
    h('legend', {}, question.question),
    ...question.options.map(({ value }) =>
      h('label', { class: 'w-choice' }, h('input', { type, name: question.id, value }), value)
    )
  )
}
