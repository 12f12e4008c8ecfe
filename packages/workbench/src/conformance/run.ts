// pnpm conformance <url> [folder or file] [--headers '{"authorization":"Bearer $user"}'] [--strict]
// Replays the recordings of the reference server against a ChatKit server; needs nothing of it but its URL.
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { replay } from './replay.ts'
import { loadScenarios } from './scenario.ts'

const recordings = fileURLToPath(new URL('../../../fastify-chatkit/test/recordings', import.meta.url))
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { headers: { type: 'string' }, strict: { type: 'boolean', default: false } }
})
const [url, path = recordings] = positionals
if (!url) {
  console.error('Say where the server is: pnpm conformance http://127.0.0.1:3000/chatkit')
  process.exit(2)
}
const headers = values.headers === undefined ? {} : { headers: { 'x-user': '$user', ...JSON.parse(values.headers) } }
let failed = 0
const scenarios = loadScenarios(path)
for (const scenario of scenarios) {
  const { name, problems, deviated } = await replay(scenario, url, { ...headers, deviations: !values.strict })
  if (problems.length > 0) failed++
  console.log(
    `${problems.length > 0 ? 'fail' : 'pass'}  ${name}${deviated.length > 0 ? `  (${deviated.join(', ')})` : ''}`
  )
  for (const problem of problems) console.log(`      ${problem}`)
}
console.log(`${scenarios.length - failed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
