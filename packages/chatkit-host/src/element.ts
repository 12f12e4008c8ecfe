import type { Page } from './page-files.ts'

/** Where OpenAI serves its element from: the script, and the frame that the script opens. */
const CDN = 'https://cdn.platform.openai.com'
const SCRIPT = `${CDN}/deployments/chatkit/chatkit.js`

/** Where the element has its domain key checked. */
const VERIFIER = 'https://api.openai.com'

/**
 * What this page may do: run its own scripts and OpenAI's, show OpenAI's frame, and talk to this host and to whoever checks the
 * domain key. What the frame itself may do, OpenAI says.
 */
const POLICY = [
  "default-src 'none'",
  `script-src 'self' ${CDN}/deployments/chatkit/`,
  `frame-src ${CDN}`,
  "style-src 'self'",
  "img-src 'self' data:",
  `connect-src 'self' ${VERIFIER}`,
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'"
].join('; ')

/** The page with OpenAI's own element, on the same route. @param settings what the page on `/` is told. */
export function elementPage(domainKey: string, settings: object): Page {
  return {
    path: '/element',
    template: 'element/index.html',
    folder: 'element',
    settings: { ...settings, domainKey, script: SCRIPT },
    // A domain key is good for some origins, and this says which one asks. It says no more than that.
    headers: { 'content-security-policy': POLICY, 'referrer-policy': 'strict-origin-when-cross-origin' }
  }
}
