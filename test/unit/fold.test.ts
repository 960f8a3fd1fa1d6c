import { expect } from 'chai';
import { fold, foldForSearch, foldName, foldWithSources, wordsOf } from '../../src/text/fold.ts';

const SURROGATES = /^\p{Cs}$/u;
/** All characters that folding may change: with a case, with a decomposition, or invisible. */
function* characters(): Generator<string> {
  for (let code = 0; code < 0xe0200; code = code === 0x1ffff ? 0xe0000 : code + 1) {
    const text = String.fromCodePoint(code);
    if (SURROGATES.test(text) || /^[\p{Cn}\p{Co}\p{Ideo}]$/u.test(text)) continue;
    yield text;
  }
}

describe('the fold of a name', () => {
  it('is the same for all forms of a character, and idempotent', () => {
    for (const text of characters()) {
      const folded = fold(text);
      for (const form of [folded, text.normalize('NFD'), text.normalize('NFKC'), text.toLowerCase()])
        if (fold(form) !== folded) expect.fail(`${text} and ${form} differ`);
      // ı is the only letter that shares its capital with another one
      if (!folded.includes('ı') && fold(text.toUpperCase()) !== folded) expect.fail(text);
    }
  });

  it('is that of NFKC_Casefold', () => {
    const folds: Record<string, string> = {
      ...{ Straße: 'strasse', STRASSE: 'strasse', GROẞ: 'gross', Ärger: 'ärger', ΟΔΟΣ: 'οδοσ', οδός: 'οδόσ' },
      ...{
        INFO: 'info',
        ﬁne: 'fine',
        Ａda: 'ada',
        ᾳ: 'αι',
        ᲀ: 'в',
        Ꭰ: 'ꭰ',
        '①': '1',
        I: 'i',
        ı: 'ı',
        İ: 'i\u0307',
      },
    };
    for (const [name, folded] of Object.entries(folds)) expect(fold(name), name).to.equal(folded);
    for (const hidden of [
      '\uFE0F',
      '\u034F',
      '\u180B',
      '\u3164',
      '\uFFA0',
      '\u{E0100}',
      '\u17B4',
      '\u200B',
      '\u202E',
    ])
      expect(fold(`Mira${hidden}`), hidden.codePointAt(0)?.toString(16)).to.equal('mira');
    expect(fold('José')).to.not.equal(fold('Jose'));
  });

  it('of several words unifies spaces that look the same', () => {
    for (const name of [' The\u00a0Climbers  ', 'The\u2800 Climbers\u2800', 'The\u0001Climbers\n'])
      expect(foldName(name)).to.equal('the climbers');
  });
});

describe('the fold for search', () => {
  const alike = (...texts: string[]) => {
    for (const text of texts) expect(foldForSearch(text), text).to.equal(foldForSearch(texts[0] ?? ''));
  };

  it('is the same for all forms of a character, and idempotent', () => {
    for (const text of characters()) {
      const folded = foldForSearch(text);
      for (const form of [folded, fold(text), text.normalize('NFD'), text.toLowerCase()])
        if (foldForSearch(form) !== folded) expect.fail(`${text} and ${form} differ`);
    }
  });

  it('omits marks that users omit when they type', () => {
    alike('Příliš žluťoučký', 'prilis zlutoucky');
    alike('Ёлка', 'елка');
    alike('за́мок', 'замок');
    alike('Άνθρωπος', 'ανθρωπος');
    alike('שָׁלוֹם', 'שלום');
    alike('مُحَمَّد', 'محـــمد', 'محمد');
    alike('Łódź', 'Lodz');
    alike('İstanbul', 'istanbul', 'ISTANBUL');
    alike('don’t', "don't");
    alike('‘don‛t‚ ʼdoʻ′', "'don't' 'do''");
    alike('“Æther‟ „œuvre”', '"aether" "oeuvre"');
    alike('1‐2‑3‒4–5—6―7−8', '1-2-3-4-5-6-7-8');
    alike('øþðđɖɗħıłŋɲ', 'othddddhilnn');
    alike('ŧƀɓƈƒɠǥɨƙƥʉʋƴƶ', 'tbbcfggikpuvyz');
    alike('ѐѝ', 'еи');
  });

  it('keeps marks that make another letter', () => {
    const different = [
      ['й', 'и'],
      ['が', 'か'],
      ['ї', 'і'],
      ['हिन्दी', 'हनद'],
      ['ที่', 'ท'],
      ['क़', 'क'],
      ['한', '하'],
    ];
    for (const [one = '', other = ''] of different)
      expect(foldForSearch(one), one).to.not.equal(foldForSearch(other));
    for (const [text = ''] of different) alike(text, text.normalize('NFD'));
    alike('ガ', 'ｶﾞ', 'カ\u3099');
  });

  it('maps each unit to the begin of its original letter', () => {
    const { text, sources } = foldWithSources('Ça ﷺ e\u0301!');
    expect(text).to.equal('ca صلى الله عليه وسلم e!');
    expect([...sources.subarray(0, 4)]).to.deep.equal([0, 1, 2, 3]);
    expect([...sources.subarray(text.length - 3, text.length)]).to.deep.equal([4, 5, 7]);
  });

  it('keeps the length of words of plain letters and ASCII', () => {
    expect(wordsOf('“hi” 你好。🎉 a-b')).to.equal(' hi  你好    a-b');
  });
});
