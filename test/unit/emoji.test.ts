import { expect } from 'chai';
import { emojiOf } from '../../src/text/emoji.ts';

describe('an emoji', () => {
  it('is normalised to its fully qualified form', () => {
    const spellings: [string, ...string[]][] = [
      ['👍🏻', '👍🏻\u{FE0F}', '👍\u{FE0F}🏻'],
      ['1\u{FE0F}\u{20E3}', '1\u{20E3}'],
      ['🏳\u{FE0F}\u{200D}🌈', '🏳\u{200D}🌈'],
      ['👁\u{FE0F}\u{200D}🗨\u{FE0F}', '👁\u{200D}🗨', '👁\u{FE0F}\u{200D}🗨', '👁\u{200D}🗨\u{FE0F}'],
      ['🕵🏻\u{200D}♂\u{FE0F}', '🕵🏻\u{200D}♂', '🕵\u{FE0F}🏻\u{200D}♂'],
      ['👩\u{200D}❤\u{FE0F}\u{200D}💋\u{200D}👨', '👩\u{200D}❤\u{200D}💋\u{200D}👨'],
      ['❤\u{FE0F}', '❤', '❤\u{FE0F}\u{FE0F}'],
      ['😀', '😀\u{FE0F}'],
      ['🇩🇪', '🇩🇪\u{FE0F}'],
      ['🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}'],
    ];
    for (const [qualified, ...others] of spellings)
      for (const spelling of [qualified, ...others])
        expect(emojiOf(spelling), JSON.stringify(spelling)).to.equal(qualified);
  });

  it('may be any emoji character, alone and with a variation selector', () => {
    for (let code = 0; code < 0x20000; code++) {
      const text = String.fromCodePoint(code);
      if (!/\p{Emoji}/u.test(text)) continue;
      const qualified = [text, `${text}\u{FE0F}`].find((form) => /^\p{RGI_Emoji}$/v.test(form));
      expect(emojiOf(text)).to.equal(qualified);
      if (qualified) expect(emojiOf(`${text}\u{FE0F}`)).to.equal(qualified);
    }
  });

  it('may be nothing else', () => {
    for (const text of [
      '',
      '1',
      'a',
      '\u{FE0F}',
      '👍👍',
      '❤\u{FE0E}',
      '🏳🌈',
      '\u{20E3}',
      '\u{1F3FB}\u{1F3FB}',
    ])
      expect(emojiOf(text), JSON.stringify(text)).to.equal(undefined);
  });
});
