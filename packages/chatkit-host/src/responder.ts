import type { FastifyInstance } from 'fastify'
import { type ChatKitOptions, echo } from 'fastify-chatkit'
import type { Config } from './config.ts'

/** What answers, as options of `fastify-chatkit`. */
export type Answers = Pick<ChatKitOptions, 'respond' | 'action'>

/** What the configuration asks for. Reads documents once the application listens, so that nobody waits for them. */
export async function chooseAnswers(app: FastifyInstance, config: Config): Promise<Answers> {
  if (config.responder === 'echo') return { respond: echo }
  // Only then: the parser of Markdown is not small.
  const [{ openHelpCentre }, { answerFrom, answerSuggestions }] = await Promise.all([
    import('./help-centre/help-centre.ts'),
    import('./help-centre/answer.ts')
  ])
  const help = openHelpCentre(app.pg.pool, config.help)
  app.addHook('onListen', async () => {
    try {
      app.log.info(await help.prepare(), 'the help centre is indexed')
    } catch (error) {
      // The next question tries again.
      app.log.error({ err: error }, 'the help centre could not be indexed; check HELP_DIR and the database')
    }
  })
  app.addHook('preClose', async () => await help.close())
  const respond = answerFrom(help)
  return { respond, action: answerSuggestions(respond) }
}

/** A line for whoever starts the host. */
export function describeAnswers({ responder, help }: Pick<Config, 'responder' | 'help'>): string {
  if (responder === 'echo') return 'Each message is said back (RESPONDER=echo).'
  return `Answers are looked up in ${help.folder === null ? "this project's own documents" : help.folder} (HELP_DIR).`
}
