import { z } from 'zod'
import { chatkitErrors } from '../errors.ts'
import { action } from '../protocol/action.ts'
import { completeItem } from '../protocol/item/registry.ts'
import { optional } from '../protocol/schema.ts'
import { itemToClient } from '../protocol/to-client.ts'
import { loadItem, loadOpenThread } from './find.ts'
import { askHook } from './hook.ts'
import { jsonOperation } from './operation.ts'
import { makeTurn } from './turn.ts'

/** Something was done to a widget, and is answered at once: with the item as it should look now, or with nothing. */
export const threadsSyncCustomAction = jsonOperation({
  type: 'threads.sync_custom_action',
  params: z.object({ thread_id: z.string(), item_id: optional(z.string()), action }),
  async run({ thread_id, item_id, action }, call) {
    const { threads, settings } = call
    const hook = settings.syncAction
    if (!hook) throw new chatkitErrors.FST_CHATKIT_NOT_SUPPORTED('actions that are answered at once')
    const thread = await loadOpenThread(threads, thread_id, settings)
    const sender = item_id === undefined ? null : await loadItem(threads, thread_id, item_id, 'widget')
    const item = await askHook(async () => {
      const draft = await hook({ ...makeTurn(call, thread, null), input: null, action, sender })
      return draft ? completeItem(draft, thread_id, settings.now) : null
    })
    if (!item) return {}
    if (settings.persistWidgetUpdates)
      await threads.transaction(async tx => {
        // Saved, a widget that was deleted meanwhile would come back, at the end of the thread.
        if (item.id === sender?.id) await loadItem(tx, thread_id, item.id, 'widget')
        await tx.saveItem(thread_id, item)
      })
    const visible = itemToClient(item)
    return visible ? { updated_item: visible } : {}
  }
})
