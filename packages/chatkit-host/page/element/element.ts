import type { ChatKitOptions } from '@openai/chatkit'
import { betterAuthAccount, SignInError, tokenAccount } from '../account.ts'
import { append, fill, find, h } from '../dom.ts'
import { readSettings, type Settings } from '../settings.ts'
import { ownFetch } from './own-fetch.ts'

/** What the host tells this page beside what it tells the other. */
interface ElementSettings extends Settings {
  domainKey: string
  /** Where OpenAI's script is. */
  script: string
}

/** What OpenAI's script makes of `<openai-chatkit>`. */
type ChatKitElement = HTMLElement & { setOptions(options: ChatKitOptions): void }

const settings = readSettings() as ElementSettings
const account = settings.signIn === null ? tokenAccount() : betterAuthAccount(settings.signIn)
const notice = find('notice', HTMLElement)

async function begin(): Promise<void> {
  if ((await account.whoIsIt()) === null) {
    fill(notice, h('a', { href: '/' }, 'Sign in'), ' first, and come back.')
    return
  }
  await load(settings.script)
  await customElements.whenDefined('openai-chatkit')
  const element = document.createElement('openai-chatkit') as ChatKitElement
  element.setOptions(options())
  append(find('notice', HTMLElement).parentElement ?? document.body, [element])
  notice.hidden = true
}

function options(): ChatKitOptions {
  const { attachments } = settings
  return {
    api: {
      url: new URL(settings.chat, location.href).href,
      domainKey: settings.domainKey,
      fetch: ownFetch(account, settings),
      ...(attachments ? { uploadStrategy: { type: 'two_phase' } } : {})
    },
    theme: matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light',
    history: { enabled: true },
    threadItemActions: { feedback: true, retry: true },
    composer: {
      attachments: attachments
        ? { enabled: true, maxSize: attachments.maxBytes, maxCount: attachments.maxCount }
        : { enabled: false }
    }
  }
}

/** It asks its own tag where it came from, so it cannot be a module. */
function load(src: string): Promise<void> {
  const script = document.createElement('script')
  script.src = src
  return new Promise((resolve, reject) => {
    script.addEventListener('load', () => resolve())
    script.addEventListener('error', () => reject(new SignInError(`OpenAI’s element cannot be loaded from ${src}.`)))
    document.head.append(script)
  })
}

begin().catch((error: unknown) => {
  if (!(error instanceof Error)) throw error
  notice.setAttribute('role', 'alert')
  notice.textContent = error.message
})
