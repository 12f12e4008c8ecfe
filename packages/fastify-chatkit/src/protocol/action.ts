import { z } from 'zod'

/** What the user did to a widget: the name the widget gave it, and whatever goes with it. */
export const action = z.object({ type: z.string(), payload: z.unknown().optional() })
/** An action as it arrives: `type` is the widget’s own name for it, `payload` unchecked. */
export type Action = z.output<typeof action>

/** Defaults that an action named in a widget carries on the wire. */
export const actionDefaults = { handler: 'server', loadingBehavior: 'auto', streaming: true } as const
