import type { ResponderEvent } from '../../protocol/event.ts'
import type { ItemDraft, WorkflowItem } from '../../protocol/item/registry.ts'
import type { TaskChanges, TaskDraft } from '../helpers/workflow.ts'
import type { Turn } from '../responder.ts'

type WorkflowDraft = Extract<ItemDraft, { type: 'workflow' }>['workflow']

/** What stands above the steps of a workflow: words, or how many seconds it took. */
export type WorkflowSummary = NonNullable<WorkflowDraft['summary']>

/** How a workflow begins. */
export type WorkflowOptions = {
  /** @default "custom" */
  type?: 'custom' | 'reasoning'
  /** @default how long it took, once it ends */
  summary?: WorkflowSummary
  /** Whether the reader sees the steps while it runs. @default false */
  expanded?: boolean
}

type Open = {
  id: string
  beganAt: string
  workflow: WorkflowDraft
  /** Whether the reader knows of it. */
  shown: boolean
  /** Whether the thread has it already, so that it can only be replaced. */
  stored: boolean
}

/**
 * The steps of a run: what its model thinks and what its tools do, one workflow after another, at most one at a time.
 */
export class Steps {
  readonly #turn: Pick<Turn, 'newItemId'>
  readonly #tasks = new Map<object, { open: Open; index: number }>()
  #open: Open | null = null
  #streamed: { open: Open; key: string; index: number; told: number } | null = null

  constructor(turn: Pick<Turn, 'newItemId'>) {
    this.#turn = turn
  }

  /** Goes on with a workflow of an earlier turn. */
  resume({ id, created_at, workflow }: WorkflowItem): void {
    this.#open = { id, beganAt: created_at, workflow: structuredClone(workflow), shown: true, stored: true }
  }

  /** Begins a workflow. One without steps is shown when it has one, unless it is what a model thinks. */
  start({ type = 'custom', summary, expanded = false }: WorkflowOptions = {}): ResponderEvent[] {
    const ended = this.end()
    const workflow = { type, tasks: [], expanded, ...(summary ? { summary } : {}) }
    this.#open = {
      id: this.#turn.newItemId('workflow'),
      beganAt: new Date().toISOString(),
      workflow,
      shown: false,
      stored: false
    }
    return type === 'reasoning' ? [...ended, ...this.#show(this.#open)] : ended
  }

  /** Begins what a model thinks, if no steps are being taken. */
  reason(): ResponderEvent[] {
    return this.#open ? [] : this.start({ type: 'reasoning' })
  }

  /** @param key names the task, for changes of it. */
  add(key: object, task: TaskDraft): ResponderEvent[] {
    const begun = this.#open ? [] : this.start()
    const open = this.#open
    if (!open) return begun
    const task_index = open.workflow.tasks.push(task) - 1
    this.#tasks.set(key, { open, index: task_index })
    if (!open.shown) return [...begun, ...this.#show(open)]
    return [...begun, this.#change('added', open, task_index, task)]
  }

  /** Changes a task. When its workflow has ended meanwhile, that is replaced. */
  update(key: object, changes: TaskChanges): ResponderEvent[] {
    const found = this.#tasks.get(key)
    const before = found?.open.workflow.tasks[found.index]
    if (!found || !before) return []
    const { open, index } = found
    const task = { ...before, ...changes } as TaskDraft
    open.workflow.tasks[index] = task
    if (open === this.#open) return [this.#change('updated', open, index, task)]
    return [{ type: 'thread.item.replaced', item: item(open) }]
  }

  /**
   * Adds to a thought. Only the first of a model's workflow is shown as it comes; others when they are complete.
   *
   * @param key tells one thought from another.
   */
  think(key: string, delta: string): ResponderEvent[] {
    const open = this.#open
    if (!open || delta === '') return []
    const streamed = this.#streamed
    if (streamed && streamed.open === open && streamed.key === key) {
      const before = open.workflow.tasks[streamed.index]
      if (before?.type !== 'thought') return []
      const task = { ...before, content: before.content + delta }
      open.workflow.tasks[streamed.index] = task
      // Each update has the whole thought: sent for every token, a long one would cost its length squared.
      if (task.content.length < streamed.told * 1.03 + 8) return []
      streamed.told = task.content.length
      return [this.#change('updated', open, streamed.index, task)]
    }
    if (open.workflow.type !== 'reasoning' || open.workflow.tasks.length > 0) return []
    this.#streamed = { open, key, index: 0, told: delta.length }
    return this.add({}, { type: 'thought', content: delta })
  }

  /** A thought is complete. */
  thought(key: string, text: string): ResponderEvent[] {
    const open = this.#open
    if (!open || text.trim() === '') return []
    const streamed = this.#streamed
    if (!streamed || streamed.open !== open || streamed.key !== key)
      return this.add({}, { type: 'thought', content: text })
    this.#streamed = null
    const task = { type: 'thought' as const, content: text }
    open.workflow.tasks[streamed.index] = task
    return [this.#change('updated', open, streamed.index, task)]
  }

  /** Ends the workflow, if there is one, and whatever was loading in it. One without steps was never shown. */
  end(summary?: WorkflowSummary, expanded = false): ResponderEvent[] {
    const open = this.#open
    this.#open = null
    if (!open?.shown) return []
    const { workflow } = open
    workflow.tasks = workflow.tasks.map(task =>
      task.status_indicator === 'loading' ? { ...task, status_indicator: 'complete' as const } : task
    )
    const duration = Math.max(0, Math.round((Date.now() - Date.parse(open.beganAt)) / 1000))
    workflow.summary = summary ?? workflow.summary ?? { duration }
    workflow.expanded = expanded
    return [this.#save(open)]
  }

  /** Keeps the workflow as it is, for the next turn to go on with. */
  pause(): ResponderEvent[] {
    const open = this.#open
    this.#open = null
    return open?.shown ? [this.#save(open)] : []
  }

  /** Whether an item is the workflow that runs. */
  has(itemId: string): boolean {
    return this.#open?.id === itemId
  }

  #show(open: Open): ResponderEvent[] {
    open.shown = true
    return [{ type: 'thread.item.added', item: item(open) }]
  }

  #save(open: Open): ResponderEvent {
    // What is stored cannot be added once more.
    const type = open.stored ? 'thread.item.replaced' : 'thread.item.done'
    open.stored = true
    return { type, item: item(open) }
  }

  #change(kind: 'added' | 'updated', open: Open, task_index: number, task: TaskDraft): ResponderEvent {
    return {
      type: 'thread.item.updated',
      item_id: open.id,
      update: { type: `workflow.task.${kind}`, task_index, task }
    }
  }
}

function item({ id, beganAt, workflow }: Open): Extract<ItemDraft, { type: 'workflow' }> {
  return { type: 'workflow', id, created_at: beganAt, workflow: { ...workflow, tasks: [...workflow.tasks] } }
}
