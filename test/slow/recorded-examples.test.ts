import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import { examples } from '../../src/docs/examples.ts';
import { recordExamples } from '../../tools/recordExamples.ts';

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

describe('the AsyncAPI documents', () => {
  it('have examples recorded from the current traffic', async () => {
    const today = await recordExamples();
    const all = [
      ...differences('frames', today.frames, examples.frames),
      ...differences('services', today.services, examples.services),
      ...differences('calls', today.calls, examples.calls),
    ];
    expect(all.join('\n')).to.equal('');
  });
});
