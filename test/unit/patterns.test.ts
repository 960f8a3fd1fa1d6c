import { expect } from 'chai';
import { containing } from '../../src/text/patterns.ts';

describe('the pattern of a text within others', () => {
  it('is the text between wildcards', () => {
    expect(containing('ada')).to.equal('%ada%');
  });

  it('takes the wildcards of a text as they are', () => {
    expect(containing('50%_\\')).to.equal('%50\\%\\_\\\\%');
  });

  it('is none for an empty text, which matches nothing', () => {
    expect(containing('')).to.equal(undefined);
  });
});
