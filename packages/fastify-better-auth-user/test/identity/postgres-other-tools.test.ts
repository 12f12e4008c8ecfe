import t from 'tap'
import { keepsContractInEveryZone } from '../fixtures/keeps-contract-in-every-zone.ts'
import { madeByOtherTools } from '../fixtures/schema-variants.ts'

for (const variant of madeByOtherTools) {
  for (const ids of ['text', 'serial', 'uuid'] as const) {
    t.test(`${variant.name}, ${ids} ids`, t => keepsContractInEveryZone(t, variant, ids))
  }
}
