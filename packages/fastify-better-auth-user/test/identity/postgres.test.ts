import t from 'tap'
import { keepsContractInEveryZone } from '../fixtures/keeps-contract-in-every-zone.ts'
import { migratedByBetterAuth } from '../fixtures/schema-variants.ts'

for (const variant of migratedByBetterAuth) {
  for (const ids of ['text', 'serial', 'uuid'] as const) {
    t.test(`${variant.name}, ${ids} ids`, t => keepsContractInEveryZone(t, variant, ids))
  }
}
