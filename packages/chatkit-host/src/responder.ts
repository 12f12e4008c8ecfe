import { echo, type Responder } from 'fastify-chatkit'
import type { Config } from './config.ts'

/** Which responder answers. Without a model configured, the message is said back. */
export function chooseResponder(_config: Config): Responder {
  return echo
}
