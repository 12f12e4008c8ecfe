import type t from 'tap'
import { SECRET, startBetterAuth } from '../fixtures/better-auth.ts'
import type { Line } from '../fixtures/better-auth-releases.ts'
import { type DeploymentName, deployments, type KeyValueStorage, type Kit } from './deployments.ts'
import { type Deployment, OTHER_SECRET } from './services.ts'

type Test = Pick<typeof t, 'teardown'>

/** `genuine` is the one the service stands beside. */
export type Twin = 'genuine' | 'foreign' | 'expired'

/** Servers of one line by configuration, each started when first asked for. */
export function deploymentsOf(t: Test, line: Line) {
  const running = new Map<string, Promise<Deployment>>()

  return function deployment(name: DeploymentName, twin: Twin = 'genuine'): Promise<Deployment> {
    const key = `${name} ${twin}`
    let found = running.get(key)
    if (found === undefined) {
      found = twin === 'genuine' ? start(name) : deployment(name).then(original => startTwin(name, twin, original))
      running.set(key, found)
    }
    return found
  }

  async function start(name: DeploymentName): Promise<Deployment> {
    const parts = { secret: SECRET, outbox: new Map<string, string>(), storage: memoryStorage() }
    const server = await startBetterAuth(t, (plugins, url) => settings(name, { ...plugins, ...parts }, url), { line })
    return { server, ...parts }
  }

  /**
   * `foreign`: another secret, database and key, but the same address, so that nothing else gives its credentials away.
   * `expired`: the same deployment, only that its JWTs are of the past.
   */
  async function startTwin(name: DeploymentName, twin: 'foreign' | 'expired', original: Deployment) {
    const foreign = twin === 'foreign'
    const parts = foreign
      ? { secret: OTHER_SECRET, outbox: new Map<string, string>(), storage: memoryStorage() }
      : { secret: SECRET, outbox: original.outbox, storage: original.storage }
    const expirationTime = foreign ? undefined : new Date(Date.now() - 60_000)
    const server = await startBetterAuth(
      t,
      plugins => settings(name, { ...plugins, ...parts }, original.server.origin, expirationTime),
      { line, beside: foreign ? undefined : original.server }
    )
    return { server, ...parts }
  }
}

function settings(
  name: DeploymentName,
  { jwt, ...kit }: Kit,
  baseURL: string,
  expirationTime: Date | undefined = undefined
) {
  const configure: (kit: Kit) => ReturnType<(typeof deployments)[DeploymentName]> = deployments[name]
  const given = configure({
    ...kit,
    jwt: (options = {}) =>
      jwt(expirationTime === undefined ? options : { ...options, jwt: { ...options.jwt, expirationTime } })
  })
  return { secret: kit.secret, baseURL, ...given }
}

function memoryStorage(): KeyValueStorage {
  const values = new Map<string, string>()
  return {
    get: key => values.get(key) ?? null,
    set: (key, value) => void values.set(key, value),
    delete: key => void values.delete(key)
  }
}
