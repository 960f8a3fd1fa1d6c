import { isDeepStrictEqual } from 'node:util';
import { Parser } from '@asyncapi/parser';
import { expect } from 'chai';
import { examples } from '../../src/docs/examples.ts';
import { recordExamples } from '../../tools/recordExamples.ts';
import { http } from '../support/harness.ts';

/** Returns the messages or calls whose examples differ between two recordings: a report could not show all of them. */
function differences(part: string, today: Recorded, kept: Recorded): string[] {
  const names = new Set([...Object.keys(today), ...Object.keys(kept)]);
  return [...names]
    .filter((name) => !isDeepStrictEqual(today[name], kept[name]))
    .map(
      (name) => `${part} ${name}: today ${JSON.stringify(today[name])}, kept ${JSON.stringify(kept[name])}`,
    );
}

type Recorded = Readonly<Record<string, readonly object[]>>;

describe('asyncapi.yaml', () => {
  it('has examples recorded from the current traffic', async () => {
    const today = await recordExamples();
    const all = differences('frames', today.frames, examples.frames);
    expect([...all, ...differences('calls', today.calls, examples.calls)].join('\n')).to.equal('');
  });

  it('is accepted by the AsyncAPI parser without errors or warnings', async function () {
    this.timeout(180_000);
    const { document, diagnostics } = await new Parser().parse((await http('GET', '/asyncapi.yaml')).body);
    // a hint, not a warning: AsyncAPI 3.1 exists
    expect(diagnostics.map(({ code }) => code)).to.deep.equal(['asyncapi-latest-version']);
    expect(document?.version()).to.equal('3.0.0');
  });
});
