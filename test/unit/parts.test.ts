import { expect } from 'chai';
import { addMention, addParts, addSender, addWord, newFilter } from '../../src/text/bloomFilter.ts';
import { foldForSearch } from '../../src/text/fold.ts';
import { id } from '../support/ids.ts';

/** Returns the filter of the parts that a function adds. */
const filterOf = (add: (filter: Buffer) => void): bigint => {
  const filter = newFilter();
  add(filter);
  return BigInt(`0x${filter.toString('hex')}`);
};
const partsOf = (text: string) => filterOf((filter) => addParts(filter, foldForSearch(text)));
const hasParts = (text: string) => addParts(newFilter(), foldForSearch(text));

/** Returns whether a text may match a query, by the comparison of the database. */
const mayHave = (text: string, part: string): boolean => {
  const query = partsOf(part);
  return (partsOf(text) & query) === query;
};

describe('the parts of words', () => {
  const texts = [
    'We were running late, un-forgettable! 2,345 times',
    'Příliš žluťoučký kůň',
    'Сказал ПРИВЕТ',
    'مرحبا بالعالم',
    '我们明天在北京见面',
    'สวัสดีครับ',
    'ｶﾞｷﾞｸﾞ 한국어 𝒜𝒷𝒸𝒹 👩‍👩‍👧 café',
  ];

  it('are found in every text that contains them, in any script', () => {
    for (const text of texts) {
      const folded = foldForSearch(text);
      for (let start = 0; start < folded.length; start++)
        for (let end = start + 1; end <= Math.min(start + 9, folded.length); end++) {
          const part = folded.slice(start, end);
          expect(mayHave(text, part), part).to.equal(true);
        }
    }
  });

  it('are hardly ever found elsewhere', () => {
    const others = texts.flatMap((text) => texts.map((other) => [text, other] as const));
    const wrong = others.filter(([text, other]) => text !== other && mayHave(text, other));
    expect(wrong).to.deep.equal([]);
    for (const part of ['walrus', 'прибой', '北见', '京面', '👨'])
      expect(mayHave(texts.join('\n'), part), part).to.equal(false);
  });

  it('are sequences of three letters or more, or of two in dense scripts', () => {
    for (const text of [
      '',
      'ab',
      'ab cd',
      'a北',
      '北a',
      '北。',
      '。北',
      '北 京',
      '!!!!',
      '1.2.3',
      '\n\n\n',
      'ы',
    ])
      expect(hasParts(text), text).to.equal(false);
    for (const text of ['abc', '北京', '123', 'привет', '한국', '👍'])
      expect(hasParts(text), text).to.equal(true);
  });

  it('keep the same values in the database, and so do words and users', () => {
    expect(bitsOf(partsOf('abc привет 北京'))).to.deep.equal([
      28, 629, 969, 1662, 2101, 2454, 4301, 5044, 5075, 5395, 5528, 5531, 6084, 7421,
    ]);
    expect(bitsOf(filterOf((filter) => addWord(filter, 'word')))).to.deep.equal([729, 759, 1597, 5340]);
    expect(bitsOf(filterOf((filter) => addSender(filter, id(7))))).to.deep.equal([1970, 3714, 5388, 5389]);
    expect(bitsOf(filterOf((filter) => addMention(filter, id(7))))).to.deep.equal([494, 3871, 4150, 4997]);
  });

  it('are evenly distributed over the bits of a filter', () => {
    const counts = new Array(16).fill(0);
    for (let user = 0; user < 1_000; user++)
      for (const bit of bitsOf(filterOf((filter) => addSender(filter, id(user))))) counts[bit >> 9]++;
    const [least, most] = [Math.min(...counts), Math.max(...counts)];
    expect(most / least).to.be.lessThan(1.5);
  });
});

/** Returns the indexes of the set bits, in ascending order. */
function bitsOf(filter: bigint): number[] {
  const bits = [...filter.toString(2).padStart(8192, '0')];
  return bits.flatMap((bit, index) => (bit === '1' ? [index] : []));
}
