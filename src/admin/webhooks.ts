import { cursorFromBeginning, cursorFromTime } from '../events/pastCursor.ts';
import { InvalidCursorError } from '../events/validCursor.ts';
import type { WebhookId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';
import { EVENT_TYPES, type EventType } from '../protocol/schema/events.ts';
import { problemOfUrl } from '../webhooks/address.ts';
import {
  createEndpoint,
  deleteEndpoint,
  listEndpoints,
  newSecret,
  pauseEndpoint,
  replayEndpoint,
  resumeEndpoint,
} from '../webhooks/endpoints.ts';
import { type Action, type AdminServices, UsageError } from './define.ts';

export const createWebhook: Action = async ([url = ''], { types, secret }, services) => {
  const problem = problemOfUrl(url, services.config.webhookPrivateNetworks);
  if (problem !== undefined) throw new UsageError(`<url> ${problem}`);
  const signing = secret === undefined ? newSecret() : checkedSecret(String(secret));
  const chosen = types === undefined ? null : typesIn(String(types));
  const { id, createdAt, ...created } = await createEndpoint(
    sourceOf(services),
    new URL(url).href,
    chosen,
    signing,
  );
  return { id, url: created.url, types: created.types, createdAt, secret: signing };
};

export const listWebhooks: Action = (_, __, services) => listEndpoints(sourceOf(services));

export const pauseWebhook: Action = async ([id = ''], _, services) =>
  pauseEndpoint(sourceOf(services), idIn(id));

export const resumeWebhook: Action = async ([id = ''], _, services) => {
  try {
    return await resumeEndpoint(sourceOf(services), idIn(id));
  } catch (error) {
    if (!(error instanceof InvalidCursorError)) throw error;
    throw new ApiError('CONFLICT', `${error.message}. Use "webhook replay" to choose where to continue`);
  }
};

export const replayWebhook: Action = async ([id = '', from = ''], _, services) => {
  const webhookId = idIn(id);
  const source = sourceOf(services);
  const cursor =
    from === 'beginning' ? await cursorFromBeginning(source) : await cursorFromTime(source, timeIn(from));
  return replayEndpoint(source, webhookId, cursor);
};

export const deleteWebhook: Action = async ([id = ''], _, services) => {
  await deleteEndpoint(sourceOf(services), idIn(id));
  return { deleted: Number(id) };
};

const sourceOf = ({ db, config }: AdminServices) => ({ db, keptDays: config.eventDays });

function idIn(text: string): WebhookId {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new ApiError('NOT_FOUND', `There is no webhook ${text}`);
  return Number(text) as WebhookId;
}

/** Returns the types in a list separated by commas, each once. */
function typesIn(list: string): EventType[] {
  const types = new Set(list.split(',').map((type) => type.trim()));
  const unknown = [...types].find((type) => !EVENT_TYPES.some((known) => known === type));
  if (unknown !== undefined)
    throw new UsageError(
      `There is no type "${unknown}"; expected one or more of ${EVENT_TYPES.join(', ')}, separated by commas`,
    );
  return [...types] as EventType[];
}

/** A secret of 24 to 64 bytes, as the specification wants it. */
function checkedSecret(secret: string): string {
  const [, base64 = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length < 24 || bytes.length > 64 || bytes.toString('base64') !== base64)
    throw new UsageError('--secret is not a secret; expected whsec_ and 24 to 64 bytes in base64');
  return secret;
}

function timeIn(text: string): Date {
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text);
  const time = new Date(text);
  if (!isTime || Number.isNaN(time.getTime()))
    throw new UsageError(
      `"${text}" is not a time; expected one with its zone, such as 2026-01-31T12:00:00Z, or "beginning"`,
    );
  return time;
}
