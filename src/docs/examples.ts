import recorded from './examples.json' with { type: 'json' };

/** Real traffic for the documents to show; see tools/record.ts. */
export interface Examples {
  /** Frames by the name of the message they are examples of. */
  readonly frames: Readonly<Record<string, readonly object[]>>;
  /** HTTP calls by method and path, such as `POST /auth/login`. */
  readonly calls: Readonly<Record<string, readonly RecordedCall[]>>;
}

export interface RecordedCall {
  readonly body: object | null;
  readonly status: number;
  /** Null where there is no body. */
  readonly answer: object | null;
}

export const examples: Examples = recorded;

/** The names of a command's messages in the document. */
export const messageNames = (type: string) => ({
  request: `${type}Request`,
  reply: `${type}Reply`,
  error: `${type}Error`,
  push: `${type}Push`,
});

/** The error to a frame that names no command. */
export const UNREADABLE = 'unreadableError';
