import recorded from './examples.json' with { type: 'json' };

/** Frames of a real conversation, by the name of the message they are examples of; see record.ts. */
export type Examples = Readonly<Record<string, readonly object[]>>;

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
