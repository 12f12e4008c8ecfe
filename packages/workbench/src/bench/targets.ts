/** What is aimed at; ratios are between things measured in the same rounds. */
export const targets = {
  P1: 'A request whose identity is cached, and can be revoked by push, costs at most 1.25 × the CPU of the bare route.',
  P2: 'With the database asked for every request, at most 2.0 × the CPU of the bare route at 50 connections, whatever the credential; at 1 connection at most one round trip to the database is added.',
  P3: 'With the database asked for every request, at least 10 × the throughput of Better Auth’s getSession and 20 × that of the Python stack of the first documents, for the same credential and rows.',
  P4: 'Under load and with warm caches, two processes refuse a revoked, expired, deleted or banned user within 50 ms (p99) of the commit; nobody is served after it was acknowledged, or while the channel is lost.',
  P5: 'With 1,000,000 users and 3,000,000 sessions, p99 of the lookup is at most 5 ms at half the saturating load, and a request costs at most 1.1 × the CPU it costs with 1,000 users.',
  P6: 'A text delta costs at most 1.5 × the CPU of writing the same bytes in a loop of res.write.',
  P7: 'An open, idle stream takes at most 40 KiB; a reader that stops reading holds at most 64 KiB of its stream and slows no other by more than 5 %.',
  P8: 'A page of a thread of 100,000 items costs what one of a thread of 100 costs (± 20 %), first and last alike; so do pages of the list of threads, with 100,000 threads of the owner and 1,000,000 of others.',
  P9: 'The host answers 200 within 1 s of its start on an existing PostgreSQL and within 4 s on the embedded one; 10,000 requests later its memory is flat.'
} as const

export type TargetId = keyof typeof targets
