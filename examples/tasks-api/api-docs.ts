import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fp from 'fastify-plugin'

/** The OpenAPI page at /docs, and the document at /docs/json. */
export const apiDocs = fp(async app => {
  await app.register(swagger, {
    // Schemas keep their names.
    refResolver: {
      buildLocalReference: ({ $id }, _base, _fragment, i) => (typeof $id === 'string' ? $id : `schema-${i}`)
    },
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Tasks', version: '1.0.0' },
      components: { securitySchemes: { ...app.betterAuthUser.securitySchemes } }
    }
  })
  await app.register(swaggerUi, { routePrefix: '/docs' })
})
