// What tools need that work beside a host: entry point `chatkit-host/development`.
export { help } from './cli.ts'
export { type Command, type Io, readArgs } from './command/command.ts'
export { examine, examineNode, type Finding, tick } from './command/examine.ts'
export {
  configOf,
  HOST_OPTIONS,
  type Host,
  type HostOptions,
  isHost,
  isLocal,
  type SignedIn,
  secretOf,
  signIn,
  withHost
} from './command/local-host.ts'
export { mintJwt, secondsOf } from './command/token.ts'
export { migrateOnly } from './server.ts'
