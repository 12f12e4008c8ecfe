import { credential } from './credential.ts'
import { guard } from './guard.ts'
import { item } from './item.ts'
import { operation } from './operation.ts'
import type { Recipe } from './recipe.ts'
import { responder } from './responder.ts'

/** What `pnpm new` makes. */
export const recipes: Record<string, Recipe> = { credential, guard, item, operation, responder }
