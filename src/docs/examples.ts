import recorded from './examples.json' with { type: 'json' };

/** Recorded traffic that the documents show as examples; see tools/recordExamples.ts. */
export interface Examples {
  /** Frames by the name of their message. */
  readonly frames: Readonly<Record<string, readonly object[]>>;
  /** Frames of a service connection by the name of their message. */
  readonly services: Readonly<Record<string, readonly object[]>>;
  /** HTTP calls by method and path, such as `POST /auth/login`. */
  readonly calls: Readonly<Record<string, readonly RecordedCall[]>>;
}

export interface RecordedCall {
  readonly body: object | null;
  readonly status: number;
  /** Null without a body. */
  readonly answer: object | null;
}

export const examples: Examples = recorded;

/** Returns the names of a command's messages in the document. */
export const messageNames = (type: string) => ({
  request: `${type}Request`,
  reply: `${type}Reply`,
  error: `${type}Error`,
  push: `${type}Push`,
});

/** The name of the error reply to a frame without a valid command. */
export const UNREADABLE = 'unreadableError';
