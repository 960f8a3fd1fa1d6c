import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { API_KEY_PREFIX } from '../auth/apiKeys.ts';
import { bearerToken } from '../auth/authenticate.ts';
import type { AddressOf } from '../net/address.ts';
import type { RequestHeaders } from '../net/headers.ts';

/** The parts of an upgrade request that are needed to answer it, when the request is not valid any more. */
export interface UpgradeRequest {
  /** Empty where there is none. */
  readonly token: string;
  /** The API key of a service, which is accepted in the header `Authorization` alone. */
  readonly apiKey: string | undefined;
  readonly address: string;
  readonly device: string | null;
  readonly key: string;
  readonly extensions: string;
  /** The subprotocol of the answer; empty where none was offered. */
  readonly protocol: string;
}

/** The subprotocol a browser names to pass its token, since it cannot set headers. */
const PROTOCOL = 'auth';

/** Characters of a device name that are kept. */
const DEVICE_LENGTH = 100;

/** Reads an upgrade request, which is valid until the first await. */
export function readUpgradeRequest(
  res: HttpResponse,
  req: HttpRequest,
  headers: RequestHeaders,
  addressOf: AddressOf,
): UpgradeRequest {
  const protocols = headers.get('sec-websocket-protocol');
  const authorization = headers.get('authorization');
  return {
    token: tokenOf(authorization, protocols, req.getQuery('token')),
    apiKey: apiKeyIn(authorization),
    address: addressOf(res, headers),
    device: deviceOf(req.getQuery('device') ?? headers.get('user-agent')),
    key: headers.get('sec-websocket-key'),
    extensions: headers.get('sec-websocket-extensions'),
    protocol: protocolOf(protocols),
  };
}

/** Returns the token from the first place where one is present; empty when there is none. */
export function tokenOf(authorization: string, protocols: string, query: string | undefined): string {
  if (authorization) return bearerToken(authorization) ?? '';
  const [first, second] = protocols.split(',').map((protocol) => protocol.trim());
  if (first === PROTOCOL) return second ?? '';
  return query ?? '';
}

/** Returns the API key in the header; undefined if it has none. */
function apiKeyIn(authorization: string): string | undefined {
  const token = bearerToken(authorization);
  return token?.startsWith(API_KEY_PREFIX) ? token : undefined;
}

/** Returns the protocol to answer with: only its name is echoed, never the token beside it. */
export function protocolOf(protocols: string): string {
  return protocols.split(',')[0]?.trim() === PROTOCOL ? PROTOCOL : '';
}

/** Returns the name that a client gives its device, without control characters; null when it gives none. */
export function deviceOf(name: string): string | null {
  return name.toWellFormed().replaceAll(/\p{C}/gu, ' ').trim().slice(0, DEVICE_LENGTH).toWellFormed() || null;
}
