import { expect } from 'chai';
import { Histogram, Registry } from 'prom-client';
import { PlainHistogram } from '../../src/observability/PlainHistogram.ts';

const values = [0.001, 0.002, 0.01, 0.05, 0.1, 0.1, 3];
const buckets = [0.001, 0.01, 0.1, 1];

describe('a plain histogram', () => {
  const text = async (fill: (registry: Registry) => void) => {
    const registry = new Registry();
    fill(registry);
    return registry.metrics();
  };

  it('has the same text as one of prom-client', async () => {
    const name = 'seconds';
    const help = 'How long it takes';
    const theirs = await text((registry) => {
      const histogram = new Histogram({ name, help, buckets, labelNames: ['type'], registers: [registry] });
      for (const value of values) histogram.observe({ type: 'send' }, value);
      histogram.observe({ type: 'read' }, 1);
    });
    const own = await text((registry) => {
      const histogram = new PlainHistogram(registry, { name, help, buckets, label: 'type' });
      for (const value of values) histogram.series('send').observe(value);
      histogram.series('read').observe(1);
    });
    expect(own).to.equal(theirs);
  });

  it('has zero values from the start when it has no labels', async () => {
    const name = 'messages';
    const help = 'How many there are';
    const theirs = await text((registry) => {
      new Histogram({ name, help, buckets, registers: [registry] });
    });
    const own = await text((registry) => {
      new PlainHistogram(registry, { name, help, buckets });
    });
    expect(own).to.equal(theirs);
  });
});
