import { expect } from 'chai';
import { nameProblem } from '../../src/text/nameProblem.ts';

describe('a name', () => {
  it('may be of any script, with joiners where it needs them, and with emoji', () => {
    const names = ['Mira', 'Ünal', 'می\u200cخواهم', 'क्\u200dष', 'שלום', '山田', '한국', 'A & B'];
    const emoji = [
      '👩\u200d👩\u200d👧 family',
      'I ❤\ufe0f NY',
      'I ❤ NY',
      '🏳\u200d🌈',
      '1\ufe0f\u20e3',
      '👍🏻\ufe0f',
      '🎉',
    ];
    for (const name of [...names, ...emoji]) expect(nameProblem(name), name).to.equal(undefined);
  });

  it('has no invisible characters', () => {
    for (const hidden of [
      '\ufe0f',
      '\u034f',
      '\u180b',
      '\u3164',
      '\uffa0',
      '\u{e0100}',
      '\u17b4',
      '\u200b',
      '\u00ad',
      '\ufff9',
      '\ufffe',
      '\u{13430}',
      '\u{16fe4}',
      '\u{1d159}',
    ]) {
      const code = hidden.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
      for (const name of [`Mira${hidden}`, hidden])
        expect(nameProblem(name)).to.equal(`must not have characters that are not shown (U+${code})`);
    }
    for (const name of ['Mi\u200dra', 'می\u200c', '\u200cمی', 'Mi\u200cra', '1\ufe0f', '👍\u200d'])
      expect(nameProblem(name), JSON.stringify(name)).to.match(/characters that are not shown/);
  });

  it('is in one line, in one direction', () => {
    expect(nameProblem('Ada\nLovelace')).to.equal('must not have line breaks or control characters (U+000A)');
    expect(nameProblem('Ada\u2028')).to.match(/line breaks/);
    expect(nameProblem('\u202eadA')).to.equal('must not have controls of the writing direction (U+202E)');
  });

  it('is well-formed', () => {
    for (const name of ['Ada\ud800', '\udc00'])
      expect(nameProblem(name)).to.equal('must be well-formed Unicode');
  });

  it('begins with a letter, and is visible', () => {
    expect(nameProblem('\u0301Ada')).to.equal('must not begin with a combining mark');
    for (const name of [' ', '\u00a0\u3000', '\u2800'])
      expect(nameProblem(name)).to.equal('must have something that can be seen');
  });
});
