// The host serves fastify-chatkit's own client, as it was compiled, at this place.
export * from 'fastify-chatkit/client'
