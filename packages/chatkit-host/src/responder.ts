import type { FastifyInstance } from 'fastify'
import { type ActionResponder, echo, type Responder, type ThreadStore } from 'fastify-chatkit'
import type { Config } from './config.ts'
import type { HelpCentre } from './help-centre/help-centre.ts'
import type { AskedBy, ModelOptions, Surroundings } from './model/model.ts'

/** What answers, as options of `fastify-chatkit`. */
export interface Answers {
  respond: Responder<AskedBy>
  action?: ActionResponder<AskedBy>
}

/** What the configuration asks for. Reads documents once the application listens, so that nobody waits for them. */
export async function chooseAnswers(app: FastifyInstance, config: Config, threadStore: ThreadStore): Promise<Answers> {
  if (config.responder === 'echo') return { respond: echo }
  // Only then: the parser of Markdown is not small.
  const [{ openHelpCentre }, { answerFrom, answerSuggestions }] = await Promise.all([
    import('./help-centre/help-centre.ts'),
    import('./help-centre/answer.ts')
  ])
  const help = openHelpCentre(app.pg.pool, config.help)
  prepareWhenListening(app, help)
  const withoutModel = answerFrom(help)
  const respond =
    config.model === null ? withoutModel : await withModel(app, config.model, { help, withoutModel, threadStore })
  return { respond, action: answerSuggestions(respond) }
}

async function withModel(app: FastifyInstance, options: ModelOptions, around: Omit<Surroundings, 'pool'>) {
  const [{ answerWithModel }, { allowance }] = await Promise.all([
    import('./model/model.ts'),
    import('./model/allowance.ts')
  ])
  const { pool } = app.pg
  app.addHook('onListen', async () => {
    await allowance(pool, options.tokensPerDay)
      .tidy()
      .catch((err: unknown) => app.log.warn({ err }, 'what was used of the model long ago could not be forgotten'))
  })
  return answerWithModel(options, { pool, ...around })
}

function prepareWhenListening(app: FastifyInstance, help: HelpCentre): void {
  let closing = false
  app.addHook('onListen', async () => {
    try {
      app.log.info(await help.prepare(), 'the help centre is indexed')
    } catch (error) {
      if (closing) return
      // The next question tries again.
      app.log.error({ err: error }, 'the help centre could not be indexed; check HELP_DIR and the database')
    }
  })
  app.addHook('preClose', async () => {
    closing = true
    await help.close()
  })
}

/** A line for whoever starts the host. */
export function describeAnswers({ responder, model, help }: Pick<Config, 'responder' | 'model' | 'help'>): string {
  if (responder === 'echo') return 'Each message is said back (RESPONDER=echo).'
  if (model !== null) return `Answers come from the model ${model.name} at ${model.baseUrl}.`
  return `Answers are looked up in ${help.folder === null ? "this project's own documents" : help.folder} (HELP_DIR).`
}
