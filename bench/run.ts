import { cpus, release } from 'node:os';
import { build, checkOut, commitOf } from './against.ts';
import { hasBroker } from './broker.ts';
import { SCENARIOS, type Scenario, type ScenarioName } from './catalogue.ts';
import { runToTheEnd } from './cleanup.ts';
import { type Options, parseOptions, UsageError } from './options.ts';
import { caseTable, comparisonTable, type Rounds, scenarioTable } from './report.ts';
import { type Column, type Plan, type Results, runRounds } from './rounds.ts';
import { goalTable } from './table.ts';
import { HERE, isBare, type Kind, needsBroker } from './targets.ts';

/* `npm run bench [-- …]`: measures this machine, prints tables and, as the last line, JSON. See README.md. */

const print = (text: string) => process.stdout.write(`${text}\n`);
const progress = (line: string) => process.stderr.write(`${line}\n`);

runToTheEnd(async () => {
  try {
    await run(parseOptions(process.argv.slice(2)));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    progress(error.message);
    process.exitCode = 2;
  }
});

async function run({ selection, rounds, isTable, against, scale }: Options): Promise<void> {
  const commit = against === undefined ? undefined : commitOf(against);
  const other = commit === undefined ? undefined : await checkOut(commit);
  await build(HERE);
  const withoutNats = hasBroker() ? () => true : (kind: Kind) => !needsBroker(kind);
  const columnsOf = (kinds: readonly Kind[]): Column[] =>
    other === undefined
      ? kinds.map((kind) => ({ label: kind, kind, checkout: HERE }))
      : kinds.filter((kind) => !isBare(kind)).flatMap((kind) => pair(kind, other));
  const plans: Plan[] = [...selection].map(([name, kinds]) => ({
    name,
    columns: columnsOf(kinds.filter(withoutNats)),
  }));
  const results = await runRounds(
    plans.filter(({ columns }) => columns.length > 0),
    rounds,
    scale,
    progress,
  );
  if (other === undefined) report(results);
  else compare(results);
  if (isTable && other === undefined) print(goalTable(results));
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, kernel: release() };
  print(JSON.stringify({ machine, rounds, ...(commit && { against: commit }), ...plainly(results) }));
  const hasFailed = [...results.values()].some((byLabel) => [...byLabel.values()].flat().includes(undefined));
  if (hasFailed) process.exitCode = 1;
}

const before = (kind: Kind) => `${kind} before`;
const after = (kind: Kind) => `${kind} after`;
const pair = (kind: Kind, other: string): Column[] => [
  { label: before(kind), kind, checkout: other },
  { label: after(kind), kind, checkout: HERE },
];

function report(results: Results): void {
  for (const [name, byLabel] of results)
    print(`${name}: ${SCENARIOS[name].title}\n${tableOf(SCENARIOS[name], byLabel)}\n`);
}

const tableOf = ({ isByCase, headline }: Scenario, byLabel: ReadonlyMap<string, Rounds>) =>
  isByCase ? [...byLabel.values()].map(caseTable).join('\n') : scenarioTable(byLabel, headline);

function compare(results: Results): void {
  for (const [name, byLabel] of results)
    for (const kind of SCENARIOS[name].on as readonly Kind[]) {
      const [old, now] = [byLabel.get(before(kind)), byLabel.get(after(kind))];
      if (old && now) print(`${name}, ${kind}: ${SCENARIOS[name].title}\n${comparisonTable(old, now)}\n`);
    }
}

const plainly = (results: Results): Partial<Record<ScenarioName, object>> =>
  Object.fromEntries([...results].map(([name, byLabel]) => [name, Object.fromEntries(byLabel)]));
