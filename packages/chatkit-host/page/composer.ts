import type { Attachment, ChatKitClient, Message } from './client/index.js'
import { append, fill, find, h, icon, iconButton } from './dom.ts'
import { sentence } from './pane.ts'
import type { Settings } from './settings.ts'

const DRAFT_KEY = 'chatkit-host-draft'

type Attached = { file: File; attachment: Attachment | null; failure: string | null; upload: AbortController }

export interface Composer {
  focus(): void
  /** While an answer streams there is Stop instead of Send. */
  show(state: { busy: boolean; allowCancel: boolean; disabled: string | null }): void
  /** Empties it. */
  clear(): void
}

export interface ComposerOptions {
  settings: Settings
  client: ChatKitClient
  signedIn<Result>(work: () => Promise<Result>): Promise<Result>
  /** @param accepted is to be called once the server has the message: until then it stays where it is. */
  send(message: Message, accepted: () => void): void
  stop(): void
}

export function createComposer({ settings, client, signedIn, send, stop }: ComposerOptions): Composer {
  const form = find('composer', HTMLFormElement)
  const box = find('message', HTMLTextAreaElement)
  const sendButton = find('send', HTMLButtonElement)
  const stopButton = find('stop', HTMLButtonElement)
  const attachButton = find('attach', HTMLButtonElement)
  const picker = find('files', HTMLInputElement)
  const chips = find('attached', HTMLUListElement)
  const problem = find('composer-problem', HTMLElement)
  const limits = settings.attachments
  let files: Attached[] = []
  let busy = false
  let disabled: string | null = null

  append(sendButton, [icon('send')])
  append(stopButton, [icon('stop')])
  append(attachButton, [icon('attach')])
  attachButton.hidden = limits === null
  if (limits) picker.accept = limits.accept.join(',')
  box.value = sessionStorage.getItem(DRAFT_KEY) ?? ''
  grow()

  function grow(): void {
    box.style.height = 'auto'
    box.style.height = `${box.scrollHeight}px`
  }

  function update(): void {
    const uploading = files.some(({ attachment, failure }) => !attachment && !failure)
    const empty = box.value.trim() === '' && files.every(({ attachment }) => !attachment)
    sendButton.disabled = busy || uploading || empty || disabled !== null
    attachButton.disabled = disabled !== null
    sessionStorage.setItem(DRAFT_KEY, box.value)
  }

  function clear(): void {
    for (const { upload } of files) upload.abort()
    files = []
    box.value = ''
    problem.textContent = ''
    showFiles()
    grow()
    update()
  }

  function submit(): void {
    update()
    if (sendButton.disabled) return
    const text = box.value
    const attachments = files.flatMap(({ attachment }) => (attachment ? [attachment.id] : []))
    const content = text.trim() === '' ? [] : [{ type: 'input_text' as const, text }]
    send({ content, attachments }, clear)
  }

  async function attach(list: Iterable<File>): Promise<void> {
    problem.textContent = ''
    for (const file of list) {
      const refusal = refusalOf(file, files.length, limits)
      if (refusal) {
        problem.textContent = refusal
        continue
      }
      void upload({ file, attachment: null, failure: null, upload: new AbortController() })
    }
  }

  async function upload(one: Attached): Promise<void> {
    files = [...files, one]
    showFiles()
    update()
    try {
      one.attachment = await signedIn(() => client.attach(one.file, { signal: one.upload.signal }))
    } catch (error) {
      if (!one.upload.signal.aborted) one.failure = sentence(error)
    }
    showFiles()
    update()
  }

  async function remove(one: Attached): Promise<void> {
    files = files.filter(other => other !== one)
    one.upload.abort()
    showFiles()
    update()
    box.focus()
    // What cannot be deleted now, the server collects.
    if (one.attachment) await client.deleteAttachment(one.attachment.id).catch(() => undefined)
  }

  function showFiles(): void {
    chips.hidden = files.length === 0
    const made = files.map(one =>
      h(
        'li',
        { class: one.failure ? 'chip failed' : 'chip' },
        icon('file'),
        h('span', {}, one.file.name),
        one.failure ? h('small', { role: 'alert' }, one.failure) : null,
        !one.failure && !one.attachment ? h('progress', { 'aria-label': `Sending ${one.file.name}` }) : null,
        iconButton(`Remove ${one.file.name}`, 'close', () => void remove(one))
      )
    )
    fill(chips, ...made)
  }

  form.addEventListener('submit', event => {
    event.preventDefault()
    submit()
  })
  box.addEventListener('input', () => {
    grow()
    update()
  })
  box.addEventListener('keydown', event => {
    // While an input method is composing, Enter chooses a word.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    submit()
  })
  box.addEventListener('paste', event => {
    const pasted = event.clipboardData?.files
    if (!pasted?.length || !limits) return
    event.preventDefault()
    void attach(pasted)
  })
  form.addEventListener('dragover', event => {
    if (limits) event.preventDefault()
  })
  form.addEventListener('drop', event => {
    if (!event.dataTransfer?.files.length || !limits) return
    event.preventDefault()
    void attach(event.dataTransfer.files)
  })
  stopButton.addEventListener('click', () => {
    stop()
    box.focus()
  })
  attachButton.addEventListener('click', () => picker.click())
  picker.addEventListener('change', () => {
    void attach([...(picker.files ?? [])])
    picker.value = ''
  })

  return {
    focus: () => box.focus(),
    clear,
    show(state) {
      busy = state.busy
      disabled = state.disabled
      const couldStop = !stopButton.hidden
      const atStop = document.activeElement === stopButton
      stopButton.hidden = !busy || !state.allowCancel
      sendButton.hidden = !stopButton.hidden
      box.readOnly = disabled !== null
      box.placeholder = disabled ?? 'Write a message'
      update()
      if (couldStop && stopButton.hidden && atStop) box.focus()
    }
  }
}

function refusalOf(file: File, count: number, limits: Settings['attachments']): string | null {
  if (!limits) return 'Files cannot be attached here.'
  if (count >= limits.maxCount) return `No more than ${limits.maxCount} files go with one message.`
  if (file.size === 0) return `${file.name} is empty.`
  if (file.size > limits.maxBytes) return `${file.name} is larger than ${Math.floor(limits.maxBytes / 1024 ** 2)} MB.`
  return null
}
