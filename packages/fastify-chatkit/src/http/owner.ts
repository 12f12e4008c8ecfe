import type { FastifyRequest } from 'fastify'
import { chatkitErrors } from '../errors.ts'
import { checkedOwner } from '../store/thread-store.ts'

/**
 * Whose request it is.
 *
 * @throws FST_CHATKIT_OWNER_MISSING for no id at all, or one no store can keep; what the option throws.
 */
export async function ownerOf(
  request: FastifyRequest,
  options: { owner(request: FastifyRequest): string | Promise<string> }
): Promise<string> {
  const owner = await options.owner(request)
  try {
    return checkedOwner(owner)
  } catch (cause) {
    throw new chatkitErrors.FST_CHATKIT_OWNER_MISSING({ cause })
  }
}
