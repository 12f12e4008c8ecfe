import type { Annotation } from '../../protocol/source.ts'

type Citation = Record<string, unknown>

/**
 * A citation of the Responses API, or of chat completions, as the reader sees it.
 *
 * @returns `null` for what ChatKit has no source for: a file without a name, a path in a container.
 */
export function annotationOf(raw: unknown): Annotation | null {
  if (!isObject(raw)) return null
  switch (raw.type) {
    case 'url_citation': {
      // Chat completions put the same one level deeper.
      const { url, title, end_index } = isObject(raw.url_citation) ? raw.url_citation : raw
      if (typeof url !== 'string') return null
      return of({ type: 'url', url, title: typeof title === 'string' && title !== '' ? title : url }, end_index)
    }
    case 'file_citation':
      return fileCited(raw, raw.index)
    case 'container_file_citation':
      return fileCited(raw, raw.end_index)
    default:
      return null
  }
}

/** The citations of a list that can be shown. */
export function annotationsOf(raw: unknown): Annotation[] {
  return Array.isArray(raw) ? raw.map(annotationOf).filter(annotation => annotation !== null) : []
}

function fileCited({ filename }: Citation, index: unknown): Annotation | null {
  if (typeof filename !== 'string' || filename === '') return null
  return of({ type: 'file', filename, title: filename }, index)
}

function of(source: Annotation['source'], index: unknown): Annotation {
  return Number.isInteger(index) ? { type: 'annotation', source, index: Number(index) } : { type: 'annotation', source }
}

function isObject(value: unknown): value is Citation {
  return typeof value === 'object' && value !== null
}
