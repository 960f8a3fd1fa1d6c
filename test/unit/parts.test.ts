import { expect } from 'chai';
import { foldForSearch } from '../../src/text/fold.ts';
import { ALL_PARTS, filterOf, filterOfPart } from '../../src/text/parts.ts';

/** True if a text may have what somebody looks for, as the database compares the two. */
const mayHave = (text: string, part: string): boolean => {
  const [filter, asked] = [filterOf(foldForSearch(text)), filterOfPart(foldForSearch(part))].map((hex) =>
    BigInt(`0x${hex}`),
  );
  return ((filter as bigint) & (asked as bigint)) === asked;
};

describe('the parts of words', () => {
  const texts = [
    'We were running late, un-forgettable! 2,345 times',
    'Příliš žluťoučký kůň',
    'Сказал ПРИВЕТ',
    'مرحبا بالعالم',
    '我们明天在北京见面',
    'ｶﾞｷﾞｸﾞ 한국어 𝒜𝒷𝒸𝒹 👩‍👩‍👧 café',
  ];

  it('are found in every text that has them, in any script', () => {
    for (const text of texts) {
      const folded = foldForSearch(text);
      for (let start = 0; start < folded.length; start++)
        for (let end = start + 3; end <= Math.min(start + 9, folded.length); end++) {
          const part = folded.slice(start, end);
          if (filterOfPart(part)) expect(mayHave(text, part), part).to.equal(true);
        }
    }
  });

  it('are hardly ever found elsewhere', () => {
    const others = texts.flatMap((text) => texts.map((other) => [text, other] as const));
    const wrong = others.filter(([text, other]) => text !== other && mayHave(text, other));
    expect(wrong).to.deep.equal([]);
    for (const part of ['walrus', 'прибой', '北京见见'])
      expect(mayHave(texts.join('\n'), part)).to.equal(false);
  });

  it('are nothing to look for without three letters in a row', () => {
    for (const text of ['', 'ab', 'ab cd', '北京', '!!!!', '1.2.3', '\n\n\n'])
      expect(filterOfPart(text), text).to.equal(undefined);
    for (const text of ['abc', '北京见', '123', 'привет'])
      expect(filterOfPart(text), text).not.to.equal(undefined);
  });

  it('stay the same in the database', () => {
    expect(filterOf('abc')).to.equal(filterOfPart('abc'));
    expect(bitsOf(filterOf('abc привет'))).to.deep.equal([1249, 1430, 2533, 3475, 3759]);
    expect(ALL_PARTS).to.have.length(filterOf('').length);
  });
});

/** The numbers of the bits that are set, the first one first. */
function bitsOf(filter: string): number[] {
  const bits = [...filter].flatMap((digit) => [...Number.parseInt(digit, 16).toString(2).padStart(4, '0')]);
  return bits.flatMap((bit, index) => (bit === '1' ? [index] : []));
}
