import { type DestinationStream, type Logger, pino } from 'pino';
import type { Faults } from './faults.ts';

/** Fields of an error that are logged. Others may contain text of users, such as parameters of a statement or rows. */
const LOGGED_FIELDS = [
  'code',
  'constraint',
  'table',
  'column',
  'routine',
  'syscall',
  'address',
  'port',
] as const;

/**
 * Bytes of lines that are buffered while standard output cannot be written, for example to a full disk. Beyond that,
 * the newest lines are dropped.
 */
const BUFFERED_BYTES = 1024 * 1024;

/** The number of the level `error` in pino. */
const ERROR = 50;

export interface LogOptions {
  /** A level of pino. */
  readonly level: string;
  /** Defaults to standard output. */
  readonly stream?: DestinationStream | undefined;
  /** Receives every error that is logged at level `error` or higher. */
  readonly faults?: Faults | undefined;
}

/** Creates a logger that writes one line per event, of JSON by default, without secrets and without text of users. */
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

  /** Reports an error. A failure to report must not prevent the log line. */
  function capture(...report: Parameters<Faults['capture']>): void {
    try {
      faults?.capture(...report);
    } catch {
      // the error is in the log
    }
  }
}

/** Returns standard output. Failed writes are ignored: without a listener for errors they would end the process. */
function standardOutput(): DestinationStream {
  const destination = pino.destination({ fd: 1, sync: true, maxLength: BUFFERED_BYTES });
  destination.on('error', () => {});
  return destination;
}

/** Returns standard output with lines for people instead of JSON; in colours where a terminal shows them. */
export async function prettyOutput(): Promise<DestinationStream> {
  const { prettyFactory } = await import('pino-pretty'); // on demand: servers write JSON
  const pretty = prettyFactory({ ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss', singleLine: true });
  const output = standardOutput();
  return { write: (line) => output.write(pretty(line)) };
}

function fieldsOf(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  const fields = error as unknown as Readonly<Record<string, unknown>>;
  const known = LOGGED_FIELDS.filter((field) => fields[field] !== undefined).map((field) => [
    field,
    fields[field],
  ]);
  const inner = cause ?? fields.original; // Sequelize wraps the error of pg
  return {
    type: name,
    message,
    stack,
    ...Object.fromEntries(known),
    ...(inner !== undefined && { cause: fieldsOf(inner) }),
  };
}
