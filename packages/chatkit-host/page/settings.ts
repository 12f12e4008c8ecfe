/** What the host tells its page, in the page itself. */
export interface Settings {
  /** Where ChatKit requests go. */
  chat: string
  /** Where Better Auth is mounted; `null`: this host signs nobody in. */
  signIn: string | null
  /** Where one signs in instead, if that is known. */
  signInElsewhere: string | null
  /** `null`: files are refused. */
  attachments: { path: string; maxBytes: number; maxCount: number; accept: string[] } | null
}

/** @throws Error when the page was not served by the host. */
export function readSettings(): Settings {
  const meta = document.querySelector('meta[name="chatkit-host"]')
  const settings: unknown = JSON.parse(meta?.getAttribute('content') ?? 'null')
  if (typeof settings !== 'object' || settings === null) throw new Error('The host has put no settings into the page')
  return settings as Settings
}

/** Where this browser finds a file: it is this server's, under whichever name the browser knows it. Other addresses stay as they are. */
export function localUrls({ attachments }: Pick<Settings, 'attachments'>): (url: string) => string {
  return url => {
    const { pathname, search } = new URL(url, location.href)
    return attachments && pathname.startsWith(`${attachments.path}/`) ? `${pathname}${search}` : url
  }
}
