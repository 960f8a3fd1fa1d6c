import { type DestinationStream, type Logger, pino } from 'pino';
import type { Faults } from './faults.ts';

/** What of an error is logged. Others of its fields may hold what people wrote: parameters of a statement, rows. */
const LOGGED = ['code', 'constraint', 'table', 'column', 'routine', 'syscall', 'address', 'port'] as const;

/** Bytes of lines that wait while standard output takes none, such as a full disk; beyond, the newest are dropped. */
const UNWRITTEN = 1024 * 1024;

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
          capture(fields.err, String(message), fields);
        method.apply(this, line);
      },
    },
  };
  return pino(options, stream ?? standardOutput());

  /** A report that cannot be made must not fail what is logged. */
  function capture(...report: Parameters<Faults['capture']>): void {
    try {
      faults?.capture(...report);
    } catch {
      // the log has it
    }
  }
}

/** Standard output, which the server does not need to go on: without a listener, a failed write would end it. */
function standardOutput(): DestinationStream {
  const destination = pino.destination({ fd: 1, sync: true, maxLength: UNWRITTEN });
  destination.on('error', () => {});
  return destination;
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
