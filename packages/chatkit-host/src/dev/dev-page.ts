import type { Page } from '../page-files.ts'

/** The page for developers. @param settings what the page on `/` is told. */
export function devPage(settings: object): Page {
  return { path: '/dev', template: 'dev/index.html', folder: 'dev', settings, headers: {} }
}
