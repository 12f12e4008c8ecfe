import type { FastifyInstance } from 'fastify'
import type { Deeds } from '../process/answer.ts'

/** A server that can be measured, before it listens. */
export interface Built {
  app: FastifyInstance
  /** What it can be asked to do, besides answering requests. */
  deeds?: Deeds
  /** After the app. */
  close?(): Promise<void>
}

type Module = { build(settings: never): Promise<Built> }

/** The list: one line a server. Each is a file beside this one. */
export const servers = {
  bare: (): Promise<Module> => import('./bare.ts'),
  'better-auth': (): Promise<Module> => import('./better-auth.ts'),
  chatkit: (): Promise<Module> => import('./chatkit.ts'),
  'fastify-jwt': (): Promise<Module> => import('./fastify-jwt.ts'),
  plugin: (): Promise<Module> => import('./plugin.ts'),
  'prepared-query': (): Promise<Module> => import('./prepared-query.ts'),
  stream: (): Promise<Module> => import('./stream.ts')
}

export type ServerName = keyof typeof servers
