import { expect } from 'chai';
import { namesIn } from '../src/messages/mentions.ts';

describe('mentions in a text', () => {
  it('are the names behind an @, with and without the punctuation at their end', () => {
    expect(namesIn('@Ada and @Bob.- (@Cleo) a@b.example @ @')).to.deep.equal(['Ada', 'Bob.-', 'Bob', 'Cleo']);
  });

  it('are at most fifty different names, and those among the first two hundred', () => {
    expect(namesIn(Array.from({ length: 300 }, (_, n) => `@user${n}`).join(' '))).to.have.length(50);
    expect(namesIn(`${'@Ada '.repeat(199)}@Bob`)).to.deep.equal(['Ada', 'Bob']);
    expect(namesIn(`${'@Ada '.repeat(200)}@Bob`)).to.deep.equal(['Ada']);
  });
});
