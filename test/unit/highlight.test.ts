import { expect } from 'chai';
import { HIT_END, HIT_START, highlight, hitsIn } from '../../src/messages/searchHighlight.ts';
import { foldForSearch } from '../../src/text/fold.ts';
import { fastest } from '../support/time.ts';

const show = (content: string, headline: string, query: string) =>
  highlight(content, hitsIn(content, headline, foldForSearch(query)))
    .map(({ text, hit }) => (hit ? `[${text}]` : text))
    .join('');
/** Marks words like the database. */
const mark = (headline: string) => headline.replaceAll('[', HIT_START).replaceAll(']', HIT_END);
const marked = (content: string, query: string) => show(content, foldForSearch(content), query);

describe('the highlighted match', () => {
  it('is found ignoring case and accents, with the letters as written', () => {
    expect(marked('Příliš žluťoučký kůň', 'ZLUTOUC')).to.equal('Příliš [žluťouč]ký kůň');
    expect(marked('e\u0301te\u0301 a\u0300 Paris', 'ete')).to.equal('[e\u0301te\u0301] a\u0300 Paris');
    expect(marked('ΟΔΟΣ και', 'οδος')).to.equal('[ΟΔΟΣ] και');
    expect(marked('한국어', '한')).to.equal('[한]국어');
    expect(marked('ﬁnal ﷺ Straße', 'strasse')).to.equal('ﬁnal ﷺ [Straße]');
    expect(marked('👍👍🎉👍', '🎉')).to.equal('👍👍[🎉]👍');
    expect(marked('nothing of it', 'walrus')).to.equal('nothing of it');
  });

  it('includes decomposed Hangul and kana, niqqud and harakat', () => {
    expect(marked('\u1112\u1161\u11ab\u1100\u116e\u11a8', '한')).to.equal(
      '[\u1112\u1161\u11ab]\u1100\u116e\u11a8',
    );
    expect(marked('か\u3099く', 'が')).to.equal('[か\u3099]く');
    expect(marked('עַל שָׁלוֹם', 'שלום')).to.equal('עַל [שָׁלוֹם]');
    expect(marked('قال مُحَمَّد', 'محمد')).to.equal('قال [مُحَمَّد]');
  });

  it('has at most sixty letters of context on either side, wherever it is', () => {
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

  it('takes little longer when letters have hundreds of marks', () => {
    const time = (content: string) =>
      fastest(() => {
        for (let count = 0; count < 20; count++) marked(content, 'zebra');
      });
    time('á'.repeat(4000)); // compiled
    expect(time(`a${'\u0301\u0316'.repeat(1999)}`)).to.be.below(20 * time('a\u0301'.repeat(2000)) + 300);
  });

  it('is the match that the database marked, if it marked one', () => {
    expect(show('A Climbér climbs', mark('a [climber] [climbs]'), 'walrus')).to.equal('A [Climbér] [climbs]');
    expect(show('no more than words', 'no more than words', 'or')).to.equal('no m[or]e than words');
    expect(show('changed meanwhile', mark('[chang]'), 'mean')).to.equal('changed [mean]while');
  });

  it('is the whole of a letter of which a part matches', () => {
    expect(marked('ﬁnal', 'f')).to.equal('[ﬁ]nal');
    expect(marked('eﬁ', 'f')).to.equal('e[ﬁ]');
    expect(show('ﬁnal', mark('[f]inal'), 'none')).to.equal('[ﬁ]nal');
  });

  it('is only what the database marked, although the text is elsewhere', () => {
    expect(show('no climber, no climb', mark('no [climber], no climb'), 'no')).to.equal(
      'no [climber], no climb',
    );
  });

  it('is one part where words touch', () => {
    const hits = [
      [0, 1],
      [1, 2],
    ] as const;
    expect(highlight('ab', hits)).to.deep.equal([{ text: 'ab', hit: true }]);
    expect(highlight('ab c', hits)).to.deep.equal([
      { text: 'ab', hit: true },
      { text: ' c', hit: false },
    ]);
  });

  it('is replaced by the beginning of the content where nothing matches', () => {
    expect(marked('x'.repeat(200), 'walrus')).to.equal(`${'x'.repeat(60)} …`);
    expect(marked('x'.repeat(60), '')).to.equal('x'.repeat(60));
  });

  it('is shown in at most two parts of a content', () => {
    const far = 'x'.repeat(200);
    const content = `${far} one ${far} two ${far} three`;
    const x = 'x'.repeat(59);
    expect(show(content, mark(`${far} [one] ${far} [two] ${far} [three]`), 'none')).to.equal(
      `… ${x} [one] ${x} … ${x} [two] ${x} …`,
    );
    expect(show('one two', mark('[one] [two]'), '')).to.equal('[one] [two]');
  });

  it('is found in a hundred of the longest contents within milliseconds', () => {
    const content = 'ếế 한국어 привет か\u3099 مُحَمَّد '.repeat(140).slice(0, 4000);
    marked(content, 'zebra');
    const find = () => {
      for (let n = 0; n < 100; n++) hitsIn(content, '', 'zebra');
    };
    expect(fastest(find)).to.be.below(200);
  });
});
