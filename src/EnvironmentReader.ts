import ms from 'ms';
import { StartError } from './protocol/errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads settings of general forms from environment variables. Every method throws a {@link StartError} that names the
 * variable, its problem and the expected form.
 */
export class EnvironmentReader {
  readonly env: Environment;

  constructor(env: Environment) {
    this.env = env;
  }

  /** Returns the trimmed value of a variable; undefined if it is unset or empty. */
  text(name: string): string | undefined {
    return this.env[name]?.trim() || undefined;
  }

  /** Throws for a variable: its problem must not repeat a value that may contain a secret. */
  wrong(name: string, problem: string, expected: string): never {
    throw new StartError(`${name} ${problem}; expected ${expected}`);
  }

  /** Returns an integer between two bounds. */
  integer(name: string, fallback: number, min: number, max: number): number {
    const value = this.text(name);
    if (value === undefined) return fallback;
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < min || number > max)
      this.wrong(name, `is "${value}"`, `an integer from ${min} to ${max}`);
    return number;
  }

  /** Returns one of the choices. */
  choice<const Choice extends string>(
    name: string,
    fallback: NoInfer<Choice>,
    choices: readonly Choice[],
  ): Choice {
    const value = this.text(name) ?? fallback;
    const chosen = choices.find((choice) => choice === value);
    return chosen ?? this.wrong(name, `is "${value}"`, `one of ${choices.join(', ')}`);
  }

  /** Returns a time in seconds. */
  seconds(name: string, fallback: string): number {
    const value = this.text(name) ?? fallback;
    const expected = 'a time from 1s to 10 years such as 15m, 24h, 7d, or a number of seconds';
    const milliseconds = /^\d+$/.test(value)
      ? Number(value) * 1000
      : /^\d+(\.\d+)? ?[a-z]+$/i.test(value)
        ? ms(value as ms.StringValue)
        : undefined;
    if (milliseconds === undefined || !(milliseconds >= 1000 && milliseconds <= ms('10y')))
      this.wrong(name, `is "${value}"`, expected);
    return Math.floor(milliseconds / 1000);
  }

  /** Returns a list of origins, or `*`. */
  origins(name: string): string[] {
    const value = this.text(name) ?? '*';
    const list = value.split(',').map((origin) => origin.trim());
    for (const origin of list)
      if (origin !== '*' && !(URL.canParse(origin) && new URL(origin).origin === origin))
        this.wrong(
          name,
          `contains "${origin}"`,
          '* or a comma-separated list of origins such as https://chat.example.com',
        );
    return list;
  }

  /** Returns a URL with http or https. The value may contain a key, so the message does not repeat it. */
  url(name: string, expected: string): string | undefined {
    const value = this.text(name);
    // The value may contain a key, so the message never repeats it.
    if (value !== undefined && !(URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)))
      this.wrong(name, 'is not an http or https URL', expected);
    return value;
  }
}
