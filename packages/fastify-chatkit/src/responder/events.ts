import type { ResponderEvent } from '../protocol/event.ts'

/** Says what is going on, until something else is shown. */
export function progress(text: string, icon?: string): ResponderEvent {
  return { type: 'progress_update', text, icon }
}

/** Shows a note above the composer; `message` may be Markdown. */
export function notice(level: 'info' | 'warning' | 'danger', message: string, title?: string): ResponderEvent {
  return { type: 'notice', level, message, title }
}

/** Tells the page to do something; nothing comes back. */
export function clientEffect(name: string, data: Record<string, unknown> = {}): ResponderEvent {
  return { type: 'client_effect', name, data }
}
