import { SIGN_IN_PATH } from './addresses.ts'
import type { Config } from './config.ts'
import type { DemoUser } from './data-directory.ts'

/** What Better Auth answers to whoever it lets in. */
export interface NewSession {
  token: string
  user: { id: string }
}

/** Asks the sign-in of a host, over the wire like anybody else, as a page of its own would. */
export function askOwnSignIn(
  url: string,
  { authUrl }: Pick<Config, 'authUrl'>,
  what: 'sign-in' | 'sign-up',
  user: DemoUser
): Promise<Response> {
  return fetch(`${url}${SIGN_IN_PATH}/${what}/email`, {
    method: 'POST',
    // Better Auth takes it from nobody else: with BETTER_AUTH_URL its pages are at that address, whatever ours is.
    headers: { 'content-type': 'application/json', origin: new URL(authUrl ?? url).origin },
    body: JSON.stringify(user)
  })
}
