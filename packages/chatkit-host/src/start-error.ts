/** Why the host cannot start: a sentence for whoever typed the command, naming the cure. No stack is shown with it. */
export class StartError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'StartError'
  }
}
