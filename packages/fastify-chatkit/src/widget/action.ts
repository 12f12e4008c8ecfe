import { actionDefaults } from '../protocol/action.ts'

/** What a part of a widget does when it is used. Whatever is left out has the value named here. */
export interface ActionConfig {
  /** The application's own name for it; comes back as `action.type`. */
  type: string
  /** Comes back as `action.payload`, with the values of the form around it merged in. Nulls in it are not sent. */
  payload?: unknown
  /** `server`: a request to this plugin. `client`: the page's `widgets.onAction`. @default 'server' */
  handler?: 'client' | 'server'
  /** What shows that it is at work: nothing, the part that was used, or the widget. @default 'auto' */
  loadingBehavior?: 'auto' | 'none' | 'self' | 'container'
  /** Whether a stream answers (`threads.custom_action`) or one item (`threads.sync_custom_action`). @default true */
  streaming?: boolean
}

/** An action with nothing left to default, as it goes over the wire. */
export type CompleteAction = ActionConfig & Required<Omit<ActionConfig, 'payload'>>

/**
 * An action with its defaults written out.
 *
 * ```ts
 * Button({ label: 'Track it', onClickAction: action({ type: 'order.track', payload: { id: 7 } }) })
 * ```
 */
export function action(config: ActionConfig): CompleteAction {
  const { type, payload, handler, loadingBehavior, streaming } = config
  return {
    type,
    ...(payload === undefined || payload === null ? {} : { payload }),
    handler: handler ?? actionDefaults.handler,
    loadingBehavior: loadingBehavior ?? actionDefaults.loadingBehavior,
    streaming: streaming ?? actionDefaults.streaming
  }
}
