import { z } from 'zod'

/** What the user did to a widget: the name the widget gave it, and whatever goes with it. */
export const action = z.object({ type: z.string(), payload: z.unknown().transform(payload => payload ?? null) })
export type Action = { type: string; payload?: unknown }

/** Defaults that an action named in a widget carries on the wire. */
export const actionDefaults = { handler: 'server', loadingBehavior: 'auto', streaming: true } as const
