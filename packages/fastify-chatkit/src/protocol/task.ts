import { z } from 'zod'
import { optional } from './schema.ts'
import { fileSource, urlSource } from './source.ts'

const common = {
  status_indicator: z.enum(['none', 'loading', 'complete']).default('none'),
  title: optional(z.string())
}

export const customTask = z.object({
  ...common,
  type: z.literal('custom'),
  icon: optional(z.string()),
  content: optional(z.string())
})
export const searchTask = z.object({
  ...common,
  type: z.literal('web_search'),
  title_query: optional(z.string()),
  queries: z.array(z.string()).default(() => []),
  sources: z.array(urlSource).default(() => [])
})
export const thoughtTask = z.object({ ...common, type: z.literal('thought'), content: z.string() })
export const fileTask = z.object({
  ...common,
  type: z.literal('file'),
  sources: z.array(fileSource).default(() => [])
})
export const imageTask = z.object({ ...common, type: z.literal('image') })

/** A step that was taken, shown by itself or in a workflow. */
export const task = z.discriminatedUnion('type', [customTask, searchTask, thoughtTask, fileTask, imageTask])
/** One step that was taken. */
export type Task = z.output<typeof task>

/** What stands above the tasks of a finished workflow: words of ours, or how many seconds it took. */
export const workflowSummary = z.union([
  z.object({ title: z.string(), icon: optional(z.string()) }),
  z.object({ duration: z.int() })
])

export const workflow = z.object({
  type: z.enum(['custom', 'reasoning']),
  tasks: z.array(task),
  summary: optional(workflowSummary),
  expanded: z.boolean().default(false)
})
/** Steps that were taken together. */
export type Workflow = z.output<typeof workflow>
