import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { forms } from './forms.ts'
import { formsSection } from './markdown.ts'
import { pairs } from './pairs.ts'

const file = new URL('../../README.md', import.meta.url)
const REGION = /(?<=<!-- forms:start -->\n)[\s\S]*?(?=<!-- forms:end -->)/

t.test('the README shows the verdicts that are tested (UPDATE_README=1 rewrites them)', async t => {
  const section = `${formsSection(forms, pairs)}\n`
  const readme = readFileSync(file, 'utf8')
  if (process.env.UPDATE_README)
    writeFileSync(
      file,
      readme.replace(REGION, () => section)
    )
  t.equal(readFileSync(file, 'utf8').match(REGION)?.[0], section)
})

t.test('no two forms have one name', async t => {
  const names = forms.map(({ group, name }) => `${group}: ${name}`)
  t.same(
    names.filter((name, index) => names.indexOf(name) !== index),
    []
  )
})
