// pnpm run token [--user ada] [--kind bearer-jwt] [--ttl 15m] [--bad signature|expired|unknown|…]

import { HOST_OPTIONS, withHost } from 'chatkit-host/development'
import { type Command, readArgs } from './command.ts'
import { MINT_OPTIONS, mintFor } from './mint.ts'

/** Prints a credential and nothing else, so that it can be put into a variable: `TOKEN=$(pnpm -s run token)`. */
export const token: Command = async (args, io) => {
  const usage = 'pnpm run token [--user ada] [--kind bearer-jwt] [--ttl 15m] [--bad signature] [--url …] [--data-dir …]'
  const { options } = readArgs(args, [...HOST_OPTIONS, ...MINT_OPTIONS], usage)
  const { credential } = await withHost(options, io, host => mintFor(host, options))
  io.print(credential)
}
