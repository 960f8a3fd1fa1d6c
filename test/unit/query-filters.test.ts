import { expect } from 'chai';
import { alternativesOf, comparisonsOf, filtersOf, MAX_FILTERS } from '../../src/messages/queryFilters.ts';
import { addMention, addParts, addSender, addWord, newFilter } from '../../src/text/bloomFilter.ts';
import { id } from '../support/ids.ts';

describe('the words that a query requires', () => {
  for (const [query, expected] of [
    ['', []],
    [`'run'`, [['run']]],
    [`'run' & 'late'`, [['run', 'late']]],
    [`'run' <-> 'late' & 'today'`, [['run', 'late', 'today']]],
    [`'run' <2> 'late'`, [['run', 'late']]],
    [`'run' | 'late'`, [['run'], ['late']]],
    [
      `'run' & ( 'late' | 'soon' )`,
      [
        ['run', 'late'],
        ['run', 'soon'],
      ],
    ],
    [`'run' & 'late' | 'soon'`, [['run', 'late'], ['soon']]],
    [`!'run'`, [[]]],
    [`'late' & !'run'`, [['late']]],
    [`'late' & !( 'run' <-> 'soon' )`, [['late']]],
    [`'late' | !'run'`, [['late'], []]],
    [`'it''s' & 'back\\\\slash'`, [["it's", 'back\\slash']]],
    [`'a & b' & '!'`, [['a & b', '!']]],
  ] as const)
    it(`are those of ${query || 'nothing'}`, () => {
      expect(alternativesOf(query)).to.deep.equal(expected);
    });

  it('are unrestricted when there are too many alternatives', () => {
    expect(alternativesOf(`'a' | 'b' | 'c'`)).to.deep.equal([['a'], ['b'], ['c']]);
    expect(alternativesOf(`'a' | 'b' | 'c' | 'd'`)).to.deep.equal([[]]);
    for (const either of [`( 'a' | 'b' ) & ( 'c' | 'd' | 'e' )`, `( 'c' | 'd' | 'e' ) & ( 'a' | 'b' )`])
      expect(alternativesOf(either)).to.deep.equal([['a'], ['b']]);
  });
});

describe('the filters of a search', () => {
  it('are those of its words and of its text, each combined with the sender', () => {
    const [words, text] = [newFilter(), newFilter()];
    for (const word of ['run', 'late']) addWord(words, word);
    addParts(text, 'running late');
    for (const filter of [words, text]) addSender(filter, id(7));
    const filters = filtersOf({ words: `'run' & 'late'`, text: 'running late', senderId: id(7) });
    expect(filters).to.deep.equal([words, text].map((filter) => filter.toString('hex')));
  });

  it('are combined with the mentioned user', () => {
    const filter = newFilter();
    addWord(filter, 'run');
    addMention(filter, id(7));
    const filters = filtersOf({ words: `'run'`, text: null, mentioned: id(7) });
    expect(filters).to.deep.equal([filter.toString('hex')]);
  });

  it('match anything when the text has no parts, and nothing when there are no words either', () => {
    const anything = newFilter().toString('hex');
    expect(filtersOf({ words: '', text: 'ab' })).to.deep.equal([anything]);
    expect(filtersOf({ words: '', text: null })).to.deep.equal([]);
    expect(filtersOf({ words: `'a' | 'b' | 'c'`, text: 'a or b' })).to.have.length(MAX_FILTERS);
  });

  it('are compared bit by bit, and as a whole when there are more', () => {
    const few = Buffer.alloc(1024);
    few.writeUInt8(0b10100000, 0);
    few.writeUInt8(1, 1023);
    const many = Buffer.alloc(1024);
    many.fill(0b10000001, 0, 8);
    const [areThere, bits, filters] = comparisonsOf([few.toString('hex'), many.toString('hex')]);
    expect(areThere).to.deep.equal([true, true, false, false]);
    expect(bits.slice(0, 8)).to.deep.equal([0, 2, 8191, null, null, null, null, null]);
    expect(bits.slice(8, 16)).to.deep.equal([0, 8, 16, 24, 32, 40, 48, 56]);
    expect(bits.slice(16)).to.deep.equal(new Array(16).fill(null));
    expect(filters).to.deep.equal([null, many.toString('hex'), null, null]);
    const eight = Buffer.alloc(1024, 0b10000001);
    eight.fill(0, 4);
    expect(comparisonsOf([eight.toString('hex')])[2]).to.deep.equal([null, null, null, null]);
  });
});
