import { type ActionTurn, action, type ResponderEvent, streamWidget, type Turn, widgets } from 'fastify-chatkit'

/** The action of a suggestion; its payload is `{ question }`. */
export const ASK_ACTION = 'help.ask'

/** A longer question was not suggested by us. */
const MAX_LENGTH = 300

/** A question that could be next, and the words on its button. */
export interface Suggestion {
  label: string
  question: string
}

/**
 * Questions to go on with: a widget of buttons. Its actions come to the server, so it works in every front end: the question
 * joins the thread as if it had been typed, and is answered.
 */
export async function* suggest(turn: Turn, suggestions: readonly Suggestion[]): AsyncGenerator<ResponderEvent> {
  if (suggestions.length === 0) return
  const buttons = suggestions.map(({ label, question }, index) =>
    widgets.Button({
      key: `suggestion-${index}`,
      label,
      size: 'sm',
      variant: 'outline',
      pill: true,
      onClickAction: action({ type: ASK_ACTION, payload: { question }, loadingBehavior: 'self' })
    })
  )
  yield* streamWidget(turn, widgets.Basic({ children: [widgets.Row({ wrap: 'wrap', gap: 2, children: buttons })] }))
}

/** The question of a suggestion that was chosen, `null` for any other action. */
export function chosenQuestion({ action: { type, payload } }: ActionTurn): string | null {
  if (type !== ASK_ACTION || typeof payload !== 'object' || payload === null || !('question' in payload)) return null
  const { question } = payload
  return typeof question === 'string' && question.trim() !== '' ? question.slice(0, MAX_LENGTH) : null
}
