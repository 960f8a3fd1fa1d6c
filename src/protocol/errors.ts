/**
 * Every refusal a client can meet, with the HTTP status it has where the call was HTTP. The one list that
 * HTTP, the WebSocket and the documents share.
 */
export const errorCodes = {
  BAD_REQUEST: { status: 400, summary: 'Wrong input; the message names the path and what was expected' },
  UNKNOWN_TYPE: { status: 400, summary: 'No command has this type' },
  UNAUTHORIZED: { status: 401, summary: 'No valid token, or wrong credentials' },
  FORBIDDEN: { status: 403, summary: 'Not allowed to this user' },
  NOT_A_MEMBER: { status: 403, summary: 'User is not a member of this group' },
  NOT_FOUND: { status: 404, summary: 'There is no such user, group or page' },
  METHOD_NOT_ALLOWED: { status: 405, summary: 'The path exists, but not with this method' },
  ALREADY_A_MEMBER: { status: 409, summary: 'The user is a member of this group already' },
  CONFLICT: { status: 409, summary: 'Taken, or used for something else already' },
  PAYLOAD_TOO_LARGE: { status: 413, summary: 'The body is over the size limit' },
  RATE_LIMITED: { status: 429, summary: 'Too many attempts; come back later' },
  INTERNAL: { status: 500, summary: 'A fault of the server; the log contains the cause' },
  UNAVAILABLE: { status: 503, summary: 'The database is away or the server is overloaded; retry' },
  TIMEOUT: { status: 504, summary: 'It took too long to read this; ask for less, or narrow it down' },
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** An expected refusal: a code from the one list and a sentence for a person. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorCode;
  /** Seconds after which a retry may succeed. */
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string = errorCodes[code].summary, retryAfter?: number) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** What a client is told of a fault: the id under which it is logged. */
export const internal = (requestId: string): ApiError =>
  new ApiError('INTERNAL', `The server failed on this request (${requestId})`);

/** What is limited, as the metric `parley_limited_total` names it. */
export type LimitName =
  | 'commands'
  | 'connections'
  | 'upgrades'
  | 'frame'
  | 'unanswered'
  | 'queue'
  | 'memory'
  | 'read'
  | 'heavy'
  | 'login'
  | 'registration'
  | 'rename'
  | 'groups'
  | 'members'
  | 'slowMode';

/** A refusal because a limit was reached; where it is answered, it is counted. */
export class LimitError extends ApiError {
  readonly limit: LimitName;

  constructor(limit: LimitName, ...error: ConstructorParameters<typeof ApiError>) {
    super(...error);
    this.limit = limit;
  }
}

/** Why the server cannot start, as one line for the operator who can mend it. */
export class StartError extends Error {}
