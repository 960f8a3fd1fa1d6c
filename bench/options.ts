import { GROUPS, SCENARIOS, type ScenarioName, type Selection, selectionOf } from './catalogue.ts';
import type { ScaleOptions } from './scenarios/scale.ts';
import { TABLE_SCENARIOS } from './table.ts';
import type { Kind } from './targets.ts';

export interface Options {
  /** Scenarios in the order in which they run, with the targets of each. */
  readonly selection: ReadonlyMap<ScenarioName, readonly Kind[]>;
  readonly rounds: number;
  /** Prints the table of goals. */
  readonly isTable: boolean;
  /** The git ref to compare with. */
  readonly against?: string;
  readonly scale: ScaleOptions;
}

/** A wrong command line; the message contains the expected form. */
export class UsageError extends Error {}

/** Enough for a median that is robust against one disturbance. */
const ROUNDS = 5;

/** Messages of the scenario `scale`, a third of which belong to the single cases. */
const MESSAGES = 1_000_000;

/** Reads the command line: `[--rounds n] [--against ref] [--messages n] [--others n] [table | all | scenario …]`. */
export function parseOptions(args: readonly string[]): Options {
  const { names, rounds, against, messages = MESSAGES, others = 1 } = parseArguments(args);
  const isTable = names.length === 0 || names.includes('table');
  const comparison = against === undefined ? {} : { against };
  return {
    selection: select(names.length === 0 ? ['table'] : names),
    rounds: rounds ?? (isTable || against !== undefined ? ROUNDS : 1),
    isTable,
    scale: { messages, others },
    ...comparison,
  };
}

/** The command line as it was given. */
interface Arguments {
  readonly names: string[];
  rounds?: number;
  against?: string;
  messages?: number;
  others?: number;
}

function parseArguments(args: readonly string[]): Arguments {
  const parsed: Arguments = { names: [] };
  const rest = args.values();
  for (const arg of rest) {
    if (arg === '--rounds') parsed.rounds = parseNumber(arg, rest.next().value);
    else if (arg === '--messages') parsed.messages = parseNumber(arg, rest.next().value);
    else if (arg === '--others') parsed.others = parseNumber(arg, rest.next().value);
    else if (arg === '--against') parsed.against = parseRef(rest.next().value);
    else if (arg.startsWith('-'))
      throw new UsageError(
        `${arg} is not an option; there are --rounds, --messages and --others <number>, and --against <git ref>`,
      );
    else parsed.names.push(arg);
  }
  return parsed;
}

function parseNumber(option: string, value: string | undefined): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new UsageError(`${option} must be followed by a whole number from 1, not ${value ?? 'nothing'}`);
  return number;
}

function parseRef(value: string | undefined): string {
  if (!value || value.startsWith('-'))
    throw new UsageError('--against must be followed by a git ref, such as main, v1.0.0 or HEAD~3');
  return value;
}

function select(names: readonly string[]): Map<ScenarioName, readonly Kind[]> {
  const kinds = new Map<ScenarioName, Set<Kind>>();
  for (const name of names)
    for (const [scenario, on] of Object.entries(named(name)) as [ScenarioName, Kind[]][])
      kinds.set(scenario, new Set([...(kinds.get(scenario) ?? []), ...on]));
  const order = Object.keys(SCENARIOS) as ScenarioName[];
  return new Map(order.flatMap((name) => (kinds.has(name) ? [[name, [...(kinds.get(name) ?? [])]]] : [])));
}

function named(name: string): Selection {
  const of = (scenarios: readonly ScenarioName[]) =>
    Object.fromEntries(scenarios.map((scenario) => [scenario, SCENARIOS[scenario].on]));
  if (name === 'table') return of(TABLE_SCENARIOS);
  if (name === 'all') return of(Object.keys(SCENARIOS) as ScenarioName[]);
  const selection = selectionOf(name);
  if (selection) return selection;
  const known = ['table', 'all', ...Object.keys(SCENARIOS), ...Object.keys(GROUPS)];
  throw new UsageError(`${name} is not a scenario; there are ${known.join(', ')}`);
}
