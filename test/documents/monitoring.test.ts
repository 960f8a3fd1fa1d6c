import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { parse } from 'yaml';
import { http, newClients } from '../support/harness.ts';

/** Matches the name of a metric in a query. */
const namesIn = (query: string) => query.match(/\b(parley|nodejs|process)_\w+/g) ?? [];
const familyOf = (name: string) => name.replace(/_(sum|count|bucket)$/, '');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string; readonly description: string };
}

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}

describe('the monitoring for operators', () => {
  let families: Set<string>;
  let rules: readonly Rule[];
  let panels: readonly Panel[];

  before(async () => {
    const [ada] = await newClients(1);
    await ada.client.call('ping');
    const { body } = await http('GET', '/metrics');
    families = new Set([...String(body).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name as string));
    rules = parse(await readFile('docs/monitoring/alerts.yaml', 'utf8')).groups[0].rules;
    panels = JSON.parse(await readFile('docs/monitoring/grafana.json', 'utf8')).panels;
  });

  it('has alerts and graphs only of existing metrics', () => {
    const queries = [
      ...rules.map(({ alert, expr }) => [alert, expr] as const),
      ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
    ];
    expect(queries.length).to.be.above(30);
    for (const [name, query] of queries)
      for (const metric of namesIn(query))
        expect(families.has(familyOf(metric)), `${name} asks for ${metric}`).to.equal(true);
  });

  it('shows every metric of the server in a graph, with a description', async () => {
    const shown = new Set(
      panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => namesIn(expr).map(familyOf))),
    );
    const own = [...families].filter((name) => name.startsWith('parley_'));
    const operations = await readFile('docs/operations.md', 'utf8');
    expect(own.length).to.be.above(15);
    for (const name of own) {
      expect(shown.has(name), `a graph with ${name}`).to.equal(true);
      expect(operations).to.include(`\`${name}`);
    }
  });

  it('has a meaning and an instruction in every alert', () => {
    for (const { alert, annotations } of rules) {
      expect(alert).to.match(/^Parley[A-Z]/);
      expect(annotations.summary).to.be.a('string');
      expect(annotations.description).to.match(/\.$/);
    }
  });
});
