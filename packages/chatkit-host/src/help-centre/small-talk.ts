/** What people say who ask nothing. */
export type SmallTalk = 'greeting' | 'thanks' | 'farewell'

const PHRASES: readonly [SmallTalk, RegExp][] = [
  [
    'greeting',
    /^(hi|hello|hey|hiya|howdy|greetings|good (morning|afternoon|evening|day)|hallo|salut|bonjour|hola|ciao)( (there|all|everyone|you|again))?$/
  ],
  [
    'thanks',
    /^((ok(ay)?|great|cool|perfect|nice) )?(thanks|thank you|thx|ty|cheers|merci|danke|gracias)( (a lot|so much|very much|again|you))?$/
  ],
  ['farewell', /^(bye|goodbye|good bye|see you|see you later|good night|ciao ciao)( (then|now))?$/]
]

/** Which sort of small talk a message is, `null` for a question. */
export function smallTalk(message: string): SmallTalk | null {
  if (message.length > 60) return null
  const words = message
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
  return PHRASES.find(([, pattern]) => pattern.test(words))?.[0] ?? null
}
