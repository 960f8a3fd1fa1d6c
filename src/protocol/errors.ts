/**
 * All error codes that clients receive, each with its status over HTTP. HTTP, the WebSocket and the documents share
 * this list.
 */
export const errorCodes = {
  BAD_REQUEST: { status: 400, summary: 'Wrong input; the message names the path and what was expected' },
  UNKNOWN_TYPE: { status: 400, summary: 'No command has this type' },
  UNAUTHORIZED: { status: 401, summary: 'No valid token, or wrong credentials' },
  FORBIDDEN: { status: 403, summary: 'The user is not allowed to do this' },
  NOT_A_MEMBER: { status: 403, summary: 'User is not a member of this group' },
  NOT_FOUND: { status: 404, summary: 'There is no such user, group or page' },
  METHOD_NOT_ALLOWED: { status: 405, summary: 'The path exists, but not with this method' },
  ALREADY_A_MEMBER: { status: 409, summary: 'The user is a member of this group already' },
  CONFLICT: {
    status: 409,
    summary: 'Already taken, already used for something else, or ifSeq is not the current seq',
  },
  PAYLOAD_TOO_LARGE: { status: 413, summary: 'The body is over the size limit' },
  RATE_LIMITED: { status: 429, summary: 'Too many attempts; retry later' },
  INTERNAL: { status: 500, summary: 'A fault of the server; the log contains the cause' },
  UNAVAILABLE: { status: 503, summary: 'The database is unavailable or the server is overloaded; retry' },
  TIMEOUT: { status: 504, summary: 'The read took too long; request fewer rows or narrow the search' },
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** An expected refusal: a code of {@link errorCodes} and a sentence for people. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorCode;
  /** Seconds after which a retry may succeed. */
  readonly retryAfter: number | undefined;
  /** The current `seq` of the chat, if a message was refused because of its `ifSeq`. */
  readonly seq: number | undefined;

  constructor(
    code: ErrorCode,
    message: string = errorCodes[code].summary,
    retryAfter?: number,
    seq?: number,
  ) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
    this.seq = seq;
  }
}

/** Returns the error for a fault of the server, which contains only the id under which the fault is logged. */
export const internal = (requestId: string): ApiError =>
  new ApiError('INTERNAL', `The server failed on this request (${requestId})`);

/** Names of the limits, as in the metric `parley_limited_total`. */
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

/** A refusal because a limit was reached. It is counted when it is answered. */
export class LimitError extends ApiError {
  readonly limit: LimitName;

  constructor(limit: LimitName, ...error: ConstructorParameters<typeof ApiError>) {
    super(...error);
    this.limit = limit;
  }
}

/** A problem that prevents the start and that the operator can fix, described in one line. */
export class StartError extends Error {}
