import { expect } from 'chai';
import { alternativesOf, filtersOf, MAX_FILTERS } from '../../src/messages/queryFilters.ts';
import { addParts, addSender, addWord, newFilter } from '../../src/text/parts.ts';

describe('the words that a query takes', () => {
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

  it('are any where there are too many alternatives', () => {
    expect(alternativesOf(`'a' | 'b' | 'c' | 'd'`)).to.deep.equal([[]]);
    const either = `( 'a' | 'b' ) & ( 'c' | 'd' | 'e' )`;
    expect(alternativesOf(either)).to.deep.equal([['a'], ['b']]);
  });
});

describe('the filters of a search', () => {
  it('are those of its words and of its text, each with the sender', () => {
    const [words, text] = [newFilter(), newFilter()];
    for (const word of ['run', 'late']) addWord(words, word);
    addParts(text, 'running late');
    for (const filter of [words, text]) addSender(filter, 7);
    const filters = filtersOf({ words: `'run' & 'late'`, text: 'running late', senderId: 7 });
    expect(filters).to.deep.equal([words, text].map((filter) => filter.toString('hex')));
  });

  it('take anything where the text has no parts, and nothing where there is neither', () => {
    const anything = newFilter().toString('hex');
    expect(filtersOf({ words: '', text: 'ab' })).to.deep.equal([anything]);
    expect(filtersOf({ words: '', text: null })).to.deep.equal([]);
    expect(filtersOf({ words: `'a' | 'b' | 'c'`, text: 'a or b' })).to.have.length(MAX_FILTERS);
  });
});
