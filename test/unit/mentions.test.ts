import { expect } from 'chai';
import { namesIn } from '../../src/messages/mentions.ts';
import { fastest } from '../support/time.ts';

describe('mentions in a text', () => {
  it('are the names after an @, with and without punctuation at their end', () => {
    expect(namesIn('@Ada and @Bob.- (@Cleo) a@b.example @ @')).to.deep.equal([
      ['ada'],
      ['bob.-', 'bob'],
      ['cleo'],
    ]);
  });

  it('are found after punctuation, and next to letters that no space separates from a name', () => {
    const mentionsBob = [
      '你好@Bob',
      'はい@Bob',
      '안녕@Bob',
      'สวัสดี@Bob',
      '...@Bob',
      '-@Bob',
      '_@Bob_',
      '❤️@Bob',
    ];
    for (const text of [...mentionsBob, 'Well...@Bob', '@Bob你好', '@Bob님', '「@Bob」', '@bob_', '@ＢＯＢ'])
      expect(namesIn(text)[0], text).to.include('bob');
    expect(namesIn('@Bob你好')).to.deep.equal([['bob你好', 'bob你', 'bob']]);
    expect(namesIn('@张三你好')).to.deep.equal([['张三你好', '张三你', '张三', '张']]);
  });

  it('are not found in email addresses', () => {
    for (const address of [
      'bob@Bob',
      'a.b@Bob',
      'a_@Bob',
      'a-@Bob',
      'x+tag@Bob',
      'x+@Bob',
      '7@Bob',
      'jörg@Bob',
    ])
      expect(namesIn(`write to ${address}.example`), address).to.deep.equal([]);
  });

  it('are at most fifty different names, those among the first two hundred', () => {
    expect(namesIn(Array.from({ length: 300 }, (_, n) => `@user${n}`).join(' '))).to.have.length(50);
    expect(namesIn(`${'@Ada '.repeat(199)}@Bob`)).to.deep.equal([['ada'], ['bob']]);
    expect(namesIn(`${'@Ada '.repeat(200)}@Bob`)).to.deep.equal([['ada']]);
  });

  it('have at most a hundred names, of which one in a script without spaces has up to seventeen', () => {
    const text = (first: number) => String.fromCodePoint(...Array.from({ length: 20 }, (_, n) => first + n));
    const mentions = Array.from({ length: 10 }, (_, n) => `@${text(0x4e00 + 20 * n)}`);
    expect(namesIn(mentions.join(' ')).map(({ length }) => length)).to.deep.equal([17, 17, 17, 17, 17, 15]);
  });

  it('have no empty name', () => {
    expect(namesIn('@.- @_')).to.deep.equal([['.-'], ['_']]);
    expect(namesIn('@\u034f @Ada')).to.deep.equal([['ada']]);
  });

  it('are searched for in a bounded number of names', () => {
    const texts = [
      `@${'张'.repeat(4000)}`,
      '@张三你好吗'.repeat(600),
      `${'_'.repeat(3000)}@`.repeat(2),
      '@_-.'.repeat(1000),
    ];
    for (const text of texts) {
      expect(namesIn(text).flat().length).to.be.at.most(100);
      expect(fastest(() => namesIn(text))).to.be.below(50);
    }
  });
});
