import type { Answer, Question } from './child.ts'

/** What a process does for its parent, by name. */
export type Deeds = Record<string, (about: never) => unknown>

/**
 * Answers the parent's questions until it is gone, and ends the process then.
 *
 * @param farewell what is closed before that.
 */
export function answerParent(deeds: Deeds, farewell: () => Promise<void>): void {
  const send = (answer: Answer) => process.send?.(answer)
  const answer = async ({ id, what, about }: Question) => {
    try {
      const deed = deeds[what]
      if (deed === undefined) throw new Error(`Nobody here knows how to ${what}`)
      send({ id, value: await deed(about as never) })
    } catch (error) {
      send({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  }
  process.on('message', (question: Question) => void answer(question))
  process.once('disconnect', () => {
    // Not left to the event loop: a profile is written by `exit`, and a pool may hold on.
    farewell().then(
      () => process.exit(),
      () => process.exit(1)
    )
  })
}
