import type { HttpConnection } from './http-connection.ts'

/** A request as it goes over the wire, and the only body it may be answered with. */
export interface Exchange {
  request: string
  body: string
}

/** @throws Error for any answer but the right one: what refuses is quick, and nothing is measured by it. */
export async function exchange(connection: HttpConnection, { request, body }: Exchange): Promise<void> {
  const answer = await connection.send(request)
  if (answer.status !== 200 || answer.body !== body) {
    throw new Error(`Answered ${answer.status} ${answer.body} where 200 ${body} was due`)
  }
}
