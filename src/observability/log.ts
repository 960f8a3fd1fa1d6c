import { type DestinationStream, type Logger, pino } from 'pino';
import type { Faults } from './faults.ts';

/** What of an error is logged. Others of its fields may hold what people wrote: parameters of a statement, rows. */
const LOGGED = ['code', 'constraint', 'table', 'column', 'routine', 'syscall', 'address', 'port'] as const;

/** Level `error` of pino. */
const ERROR = 50;

export interface LogOptions {
  /** One of pino's. */
  readonly level: string;
  /** Standard output if left out. */
  readonly stream?: DestinationStream | undefined;
  /** Told of every error that is logged as one. */
  readonly faults?: Faults | undefined;
}

/** One line of JSON per event, with nothing in it that is a secret or that people wrote. */
export function createLog({ level, stream, faults }: LogOptions): Logger {
  const options: pino.LoggerOptions = {
    level,
    serializers: { err: fieldsOf },
    hooks: {
      logMethod(line, method, severity) {
        const [fields, message] = line as unknown as [unknown, unknown?];
        if (severity >= ERROR && typeof fields === 'object' && fields !== null && 'err' in fields)
          faults?.capture(fields.err, String(message), fields);
        method.apply(this, line);
      },
    },
  };
  return stream ? pino(options, stream) : pino(options);
}

function fieldsOf(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  const fields = error as unknown as Readonly<Record<string, unknown>>;
  const known = LOGGED.filter((field) => fields[field] !== undefined).map((field) => [field, fields[field]]);
  const inner = cause ?? fields.original; // Sequelize wraps what pg says
  return {
    type: name,
    message,
    stack,
    ...Object.fromEntries(known),
    ...(inner !== undefined && { cause: fieldsOf(inner) }),
  };
}
