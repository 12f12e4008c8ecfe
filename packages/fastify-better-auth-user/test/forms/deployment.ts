import { SECRET, startBetterAuth } from '../fixtures/better-auth.ts'
import { type Extras, type Line, loadExtras, type Plugin, type Plugins } from '../fixtures/better-auth-releases.ts'
import { type DeploymentName, deployments, type KeyValueStorage, type Kit, LIKE_PLAIN } from './deployments.ts'
import { type Deployment, OTHER_SECRET } from './services.ts'

type Test = Parameters<typeof startBetterAuth>[0]

/** `genuine` is the one the service stands beside. */
export type Twin = 'genuine' | 'foreign' | 'expired'

/** Servers of one line by configuration, each started when first asked for. */
export function deploymentsOf(t: Test, line: Line) {
  const running = new Map<string, Promise<Deployment>>()
  return deployment

  function deployment(name: DeploymentName, twin: Twin = 'genuine'): Promise<Deployment> {
    const key = `${name} ${twin}`
    let found = running.get(key)
    if (found === undefined) {
      found = twin === 'genuine' ? start(name) : deployment(name).then(original => startTwin(name, twin, original))
      running.set(key, found)
    }
    return found
  }

  async function start(name: DeploymentName): Promise<Deployment> {
    const extras = await loadExtras[line]()
    const parts = { secret: SECRET, outbox: new Map<string, string>(), storage: memoryStorage() }
    const server = await startBetterAuth(
      t,
      (plugins, url) => ({ baseURL: url, ...configure(name, { ...plugins, ...extras, ...parts }) }),
      { line, beside: await plain(name, 'genuine') }
    )
    return { server, ...parts }
  }

  /**
   * `foreign`: another secret, database and key, but the same address, so that nothing else gives its credentials away.
   * `expired`: the same deployment, only that its JWTs are of the past.
   */
  async function startTwin(name: DeploymentName, twin: 'foreign' | 'expired', original: Deployment) {
    const extras = await loadExtras[line]()
    const { secret, outbox, storage } = original
    const parts =
      twin === 'foreign'
        ? { secret: OTHER_SECRET, outbox: new Map<string, string>(), storage: memoryStorage(), expired: false }
        : { secret, outbox, storage, expired: true }
    const baseURL = original.server.origin
    const server = await startBetterAuth(
      t,
      plugins => ({ baseURL, ...configure(name, { ...plugins, ...extras, ...parts }) }),
      { line, beside: twin === 'foreign' ? await plain(name, 'foreign') : original.server }
    )
    return { server, ...parts }
  }

  async function plain(name: DeploymentName, twin: Twin) {
    return LIKE_PLAIN.has(name) ? (await deployment('plain', twin)).server : undefined
  }
}

interface Parts extends Plugins, Extras, Pick<Kit, 'secret' | 'outbox' | 'storage'> {
  expired?: boolean
}

function configure(name: DeploymentName, { jwt, apiKey, oauthProvider, expired = false, ...parts }: Parts) {
  const build: (kit: Kit) => ReturnType<(typeof deployments)[DeploymentName]> = deployments[name]
  const settings = build({
    ...parts,
    jwt: (options = {}) =>
      jwt(expired ? { ...options, jwt: { ...options.jwt, expirationTime: new Date(Date.now() - 60_000) } } : options),
    apiKey: apiKey ?? missing,
    oauthProvider: oauthProvider ?? missing,
    accessTokenExpiresIn: expired ? -60 : 3600
  })
  return { secret: parts.secret, ...settings }
}

function missing(): Plugin {
  throw new Error('this line has no such plugin: name the lines that have')
}

function memoryStorage(): KeyValueStorage {
  const values = new Map<string, string>()
  return {
    get: key => values.get(key) ?? null,
    set: (key, value) => void values.set(key, value),
    delete: key => void values.delete(key)
  }
}
