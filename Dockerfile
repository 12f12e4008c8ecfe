# chatkit-host for production: docker build -t chatkit-host .
# Built from Debian's glibc images, since the binaries some dependencies ship are for glibc.
FROM node:24-slim AS build
WORKDIR /src
COPY . .
RUN node scripts/bootstrap.js
# The documents that the help centre answers from until HELP_DIR names others.
RUN node packages/chatkit-host/scripts/help.js
# What the host needs at run time and nothing else: a database of one's own takes the embedded one's place.
RUN npm exec --yes --package="$(node -p "require('./package.json').packageManager")" -- \
    pnpm --filter chatkit-host deploy --legacy --prod --no-optional /app

FROM node:24-slim
ENV NODE_ENV=production HOST=0.0.0.0 DATA_DIR=/data
WORKDIR /app
COPY --from=build /app .
COPY --from=build /src/LICENSE .
# Attachments are kept here; the volume must belong to whoever the container runs as.
RUN install -d -o node -g node -m 700 /data
VOLUME /data
USER node
EXPOSE 3000
# Longer than DRAIN_TIMEOUT and what closing takes: docker stop --time 30
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=6s --start-period=30s CMD ["node", "bin/chatkit-host.js", "check"]
CMD ["node", "bin/chatkit-host.js"]
