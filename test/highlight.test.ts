import { expect } from 'chai';
import { createHighlighter, HIT_END, HIT_START, highlightPlain } from '../src/messages/highlight.ts';

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

  it('costs folding each letter once, and those of two pieces one by one', () => {
    for (const filler of ['x', 'é', 'ế', '👍', '한']) {
      const content = `${filler.repeat(3990)}Zebra`;
      let [calls, letters] = [0, 0];
      highlightPlain(content, 'zebra', (text) => {
        calls++;
        letters += text.length;
        return text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
      });
      expect(letters, filler).to.be.at.most(content.length + 300);
      expect(calls, filler).to.be.at.most(4000 / 64 + 1 + 2 * 64 + 1);
    }
  });

  it('lets others have their turn after 20,000 letters', async () => {
    let pauses = 0;
    const highlight = createHighlighter('walrus', async () => {
      pauses++;
    });
    for (let n = 0; n < 100; n++) await highlight('', 'ế'.repeat(4000));
    expect(pauses).to.equal(100 / 5 - 1);
  });

  it('takes the marks of the database where there are some', async () => {
    const highlight = createHighlighter('climb');
    expect(await highlight(`A ${HIT_START}climber${HIT_END} climbs`, 'A climber climbs')).to.deep.equal([
      { text: 'A ', hit: false },
      { text: 'climber', hit: true },
      { text: ' climbs', hit: false },
    ]);
  });
});
