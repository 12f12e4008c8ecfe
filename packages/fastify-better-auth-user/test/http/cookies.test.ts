import t from 'tap'
import { cookieValue } from '../../src/http/cookies.ts'

t.test('finds a cookie by its exact name', async t => {
  const cases: [string | undefined, string | null][] = [
    [undefined, null],
    ['', null],
    ['s=1', '1'],
    ['a=b;s=1;c=d', '1'],
    [' s = 1 ', '1'],
    ['\ts\t=\t1\t', '1'],
    // Browsers take it for a part of the name, and so hold no prefix to its rules that comes after it.
    ['\u00a0s=1', null],
    ['\u00a0s=1; s=2', '2'],
    ['s="1"', '1'],
    ['s="', '"'],
    ['s=1; s=2', '1'],
    ['s=a=b', 'a=b'],
    ['s_multi-x=1', null],
    ['xs=1', null],
    ['S=1', null],
    ['s', null],
    ['s=%31', '%31']
  ]
  for (const [header, expected] of cases) t.equal(cookieValue(header, 's'), expected, String(header))
})
