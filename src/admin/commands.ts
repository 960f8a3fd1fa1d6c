import type { AdminCommand } from './define.ts';

const LIMIT = { limit: { type: 'string' } } as const;
const SEARCH = { search: { type: 'string' }, ...LIMIT } as const;

/** All commands by name. Their code is loaded when they run, so that the usage appears at once. */
export const commands: Readonly<Record<string, AdminCommand>> = {
  'user list': {
    summary: 'list the newest accounts, all or those whose username or email begins with --search',
    takes: [],
    options: { search: { type: 'string' }, disabled: { type: 'boolean' }, ...LIMIT },
    load: async () => (await import('./users.ts')).listUsers,
  },
  'user conflicts': {
    summary:
      'list older accounts whose username or email differs from that of another account only by case or invisible characters',
    takes: [],
    options: {},
    load: async () => (await import('./users.ts')).listUserConflicts,
  },
  'user show': {
    summary: 'show an account and its open sessions',
    takes: ['user'],
    options: {},
    load: async () => (await import('./users.ts')).showUser,
  },
  'user disable': {
    summary: 'disable an account: close all its connections and refuse its logins',
    takes: ['user'],
    options: {},
    load: async () => (await import('./users.ts')).disableUser,
  },
  'user enable': {
    summary: 'enable a disabled account',
    takes: ['user'],
    options: {},
    load: async () => (await import('./users.ts')).enableUser,
  },
  'user end-sessions': {
    summary: 'close all connections of an account and revoke all its tokens',
    takes: ['user'],
    options: {},
    load: async () => (await import('./users.ts')).endSessions,
  },
  'user reset-password': {
    summary:
      'set a new password and end all sessions; without --password, generate a random one and print it',
    takes: ['user'],
    options: { password: { type: 'string' } },
    load: async () => (await import('./resetPassword.ts')).resetPassword,
  },
  'user delete': {
    summary: 'delete an account, as its owner can: its messages remain under the name "Deleted user"',
    takes: ['user'],
    options: {},
    isFinal: true,
    load: async () => (await import('./users.ts')).deleteUser,
  },
  'user export': {
    summary: 'print all stored data of a person as JSON',
    takes: ['user'],
    options: {},
    load: async () => (await import('./users.ts')).exportUser,
  },
  'user erase': {
    summary: 'delete an account, empty all its messages, and delete all other stored data of the person',
    takes: ['user'],
    options: {},
    isFinal: true,
    load: async () => (await import('./users.ts')).eraseUser,
  },
  'group list': {
    summary: 'list the groups with the newest messages, all or those whose name begins with --search',
    takes: [],
    options: SEARCH,
    load: async () => (await import('./groups.ts')).listGroups,
  },
  'group conflicts': {
    summary:
      'list older public groups whose name differs from that of another group only by case, spaces or invisible characters',
    takes: [],
    options: {},
    load: async () => (await import('./groups.ts')).listGroupConflicts,
  },
  'group audit': {
    summary:
      'show the members of a group with their roles, the bans, the valid invites, and the changes with their authors',
    takes: ['groupId'],
    options: LIMIT,
    load: async () => (await import('./groups.ts')).auditGroup,
  },
  'report list': {
    summary: 'list the newest reports of messages, with the content of the messages',
    takes: [],
    options: LIMIT,
    load: async () => (await import('./reports.ts')).listReports,
  },
  'key create': {
    summary:
      'create an API key for service connections, with scopes separated by commas; its secret is printed only now',
    takes: ['name', 'scopes'],
    options: {},
    load: async () => (await import('./keys.ts')).createApiKey,
  },
  'key list': {
    summary: 'list the API keys, newest first, with their scopes and the time of the last use',
    takes: [],
    options: {},
    load: async () => (await import('./keys.ts')).listApiKeys,
  },
  'key revoke': {
    summary: 'revoke an API key: close its connections and refuse new ones',
    takes: ['keyId'],
    options: {},
    load: async () => (await import('./keys.ts')).revokeApiKey,
  },
  'consumer list': {
    summary: 'list the consumers of events of backends, with their lag and whether a connection serves them',
    takes: [],
    options: {},
    load: async () => (await import('./consumers.ts')).listConsumers,
  },
  'consumer delete': {
    summary: 'delete a consumer that no connection serves, and its place',
    takes: ['name'],
    options: {},
    isFinal: true,
    load: async () => (await import('./consumers.ts')).deleteConsumer,
  },
  'webhook create': {
    summary:
      'post events to a URL, all or those of --types separated by commas, from now on; the secret that signs them, random or of --secret, is printed only now',
    takes: ['url'],
    options: { types: { type: 'string' }, secret: { type: 'string' } },
    load: async () => (await import('./webhooks.ts')).createWebhook,
  },
  'webhook list': {
    summary: 'list the webhooks with their state, lag and last failure',
    takes: [],
    options: {},
    load: async () => (await import('./webhooks.ts')).listWebhooks,
  },
  'webhook pause': {
    summary: 'deliver nothing more to a webhook, and keep its place for EVENT_DAYS',
    takes: ['webhookId'],
    options: {},
    load: async () => (await import('./webhooks.ts')).pauseWebhook,
  },
  'webhook resume': {
    summary: 'deliver to a webhook again, from its place on; also tries a failing one at once',
    takes: ['webhookId'],
    options: {},
    load: async () => (await import('./webhooks.ts')).resumeWebhook,
  },
  'webhook replay': {
    summary:
      'deliver to a webhook all events from a time on, such as 2026-01-31T12:00:00Z, or from the beginning, and resume it',
    takes: ['webhookId', 'from'],
    options: {},
    load: async () => (await import('./webhooks.ts')).replayWebhook,
  },
  'webhook delete': {
    summary: 'delete a webhook and its place',
    takes: ['webhookId'],
    options: {},
    isFinal: true,
    load: async () => (await import('./webhooks.ts')).deleteWebhook,
  },
  'database move': {
    summary: 'copy the embedded database of a stopped server to an empty PostgreSQL at a postgres:// URL',
    takes: ['url'],
    options: {},
    isOnEmbedded: true,
    load: async () => (await import('./moveDatabase.ts')).moveToPostgres,
  },
};
