import type { ResponderEvent } from '../../protocol/event.ts'
import type { ItemDraft } from '../../protocol/item/registry.ts'
import type { Turn } from '../responder.ts'

/** A task as it is written: what has a default can be left out. */
export type TaskDraft = Extract<ItemDraft, { type: 'task' }>['task']
type WorkflowDraft = Extract<ItemDraft, { type: 'workflow' }>['workflow']
type Summary = WorkflowDraft['summary']

type Changes<Task> = Task extends unknown ? Partial<Omit<Task, 'type'>> : never

/** What of a task can change; its type stays. */
export type TaskChanges = Changes<TaskDraft>

/** The steps of an answer, as they are taken. Give the reader every event that a method returns: `yield* steps.add(…)`. */
export interface RunningWorkflow {
  /** How many tasks there are; the newest is `size - 1`. */
  readonly size: number
  /** Adds a task at the end. */
  add(task: TaskDraft): ResponderEvent[]
  /** @throws RangeError for a task that was not added. */
  update(index: number, changes: TaskChanges): ResponderEvent[]
  /** Adds to the thought the model is at, or begins one. */
  think(delta: string): ResponderEvent[]
  /** Ends that thought: what follows is another. */
  endThought(): ResponderEvent[]
  /**
   * Ends the workflow, and whatever was loading in it. Nothing when it never began; a second time does nothing.
   *
   * @param summary what stands above the tasks. @default how many seconds it took
   */
  finish(summary?: Summary): ResponderEvent[]
}

/**
 * Begins a list of steps under one item of the thread. It is shown with its first task.
 *
 * ```ts
 * const steps = startWorkflow(turn)
 * yield* steps.add({ type: 'custom', title: 'Looking up your order', status_indicator: 'loading' })
 * yield* steps.update(0, { status_indicator: 'complete' })
 * yield* steps.finish({ title: 'Found it' })
 * ```
 *
 * @param options.type `reasoning` for a model's thoughts. @default "custom"
 * @param options.expanded whether the reader sees the tasks at once. @default false
 */
export function startWorkflow(
  turn: Pick<Turn, 'newItemId'>,
  options: { type?: 'custom' | 'reasoning'; expanded?: boolean } = {}
): RunningWorkflow {
  const { type = 'custom', expanded = false } = options
  const id = turn.newItemId('workflow')
  const tasks: TaskDraft[] = []
  const began = performance.now()
  let thought: { index: number; text: string; shown: number } | null = null
  let shown = false
  let over = false

  const added = (workflow: WorkflowDraft): ResponderEvent => {
    shown = true
    return { type: 'thread.item.added', item: { type: 'workflow', id, workflow } }
  }
  const change = (kind: 'added' | 'updated', task_index: number, task: TaskDraft): ResponderEvent => ({
    type: 'thread.item.updated',
    item_id: id,
    update: { type: `workflow.task.${kind}`, task_index, task }
  })

  const steps: RunningWorkflow = {
    get size() {
      return tasks.length
    },

    add(task) {
      if (over) throw new RangeError('The workflow is over')
      const begin = shown ? [] : [added({ type, tasks: [], expanded })]
      tasks.push(task)
      return [...begin, change('added', tasks.length - 1, task)]
    },

    update(index, changes) {
      const before = tasks[index]
      if (over || !before) throw new RangeError(`The workflow has no task ${index} to change`)
      const task = { ...before, ...changes } as TaskDraft
      tasks[index] = task
      return [change('updated', index, task)]
    },

    think(delta) {
      if (delta === '') return []
      if (!thought) {
        thought = { index: tasks.length, text: delta, shown: delta.length }
        return steps.add({ type: 'thought', content: delta })
      }
      thought.text += delta
      // Each update has the whole thought: sent for every token, a long one would cost its length squared.
      if (thought.text.length < thought.shown * 1.03 + 8) return []
      thought.shown = thought.text.length
      return steps.update(thought.index, { content: thought.text })
    },

    endThought() {
      if (!thought) return []
      const { index, text, shown: told } = thought
      thought = null
      return told === text.length ? [] : steps.update(index, { content: text })
    },

    finish(summary) {
      if (over || !shown) return []
      const rest = steps.endThought()
      over = true
      const duration = Math.round((performance.now() - began) / 1000)
      const finished = tasks.map(task =>
        task.status_indicator === 'loading' ? { ...task, status_indicator: 'complete' as const } : task
      )
      const workflow = { type, tasks: finished, summary: summary ?? { duration }, expanded }
      return [...rest, { type: 'thread.item.done', item: { type: 'workflow', id, workflow } }]
    }
  }
  return steps
}
