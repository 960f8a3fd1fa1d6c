import { expect } from 'chai';
import { createFold, HIT_END, HIT_START, highlightParts, highlightPlain } from '../src/messages/highlight.ts';

const marked = (content: string, query: string) =>
  highlightPlain(content, query)
    .map(({ text, hit }) => (hit ? `[${text}]` : text))
    .join('');

describe('what was found, highlighted', () => {
  it('is found whatever case and accents, with the letters as they were written', () => {
    expect(marked('Příliš žluťoučký kůň', 'ZLUTOUC')).to.equal('Příliš [žluťouč]ký kůň');
    expect(marked('e\u0301te\u0301 a\u0300 Paris', 'ete')).to.equal('[e\u0301te\u0301] a\u0300 Paris');
    expect(marked('ΟΔΟΣ και', 'οδος')).to.equal('[ΟΔΟΣ] και');
    expect(marked('한국어', '하')).to.equal('[한]국어');
    expect(marked('👍👍🎉👍', '🎉')).to.equal('👍👍[🎉]👍');
    expect(marked('nothing of it', 'walrus')).to.equal('nothing of it');
  });

  it('stands among at most sixty letters on either side, wherever it is', () => {
    for (const length of [0, 1, 59, 60, 61, 62, 63, 64, 65, 127, 128, 1000, 3990])
      for (const filler of ['x', 'é', 'e\u0301', '👍', '한']) {
        const [before, after] = [filler.repeat(length), filler.repeat(4000 - length)];
        const around = (text: string) => [...text];
        const start = around(before).slice(-60).join('');
        const end = around(after).slice(0, 60).join('');
        expect(marked(`${before}Zebra${after}`, 'zebrá'), `${filler} ${length}`).to.equal(
          `${start === before ? '' : '… '}${start}[Zebra]${end}${end === after ? '' : ' …'}`,
        );
      }
  });

  it('folds each letter once, however often it comes and however many contents have it', () => {
    const folded: string[] = [];
    const fold = createFold((unit) => {
      folded.push(unit);
      return unit.toLowerCase();
    });
    for (let n = 0; n < 100; n++)
      for (const letters of ['xX', 'éế', 'ﬁ한', '👍'])
        highlightPlain(`${letters.repeat(1000)}Zebra`, 'zebra', fold);
    expect(folded.toSorted()).to.deep.equal([...new Set(folded)].toSorted());
    expect(folded.length).to.equal(14); // zebra, Z, and the units of the letters
  });

  it('takes the marks of the database where there are some', () => {
    expect(highlightParts(`A ${HIT_START}climber${HIT_END} climbs`)).to.deep.equal([
      { text: 'A ', hit: false },
      { text: 'climber', hit: true },
      { text: ' climbs', hit: false },
    ]);
  });
});
