import { expect } from 'chai';
import { passwordProblem, preparePassword } from '../../src/text/opaqueString.ts';

describe('a password', () => {
  it('is the same on all keyboards', () => {
    expect(preparePassword('re\u0301sume\u0301\u00a0cv\u3000x')).to.equal('r\u00e9sum\u00e9 cv x');
    expect(preparePassword(' Two  spaces ')).to.equal(' Two  spaces ');
  });

  it('has at least 8 characters, composed and of any script', () => {
    for (const password of ['12345678', '👍👍👍👍👍👍👍👍', 'пароль12'])
      expect(passwordProblem(password)).to.equal(undefined);
    for (const password of ['', '1234567', '👍👍👍👍👍👍👍', 'e\u0301'.repeat(7)])
      expect(passwordProblem(password), password).to.equal('must have at least 8 characters');
  });

  it('has at most 72 bytes, composed', () => {
    const problem = 'must be well-formed Unicode of at most 72 bytes';
    for (const password of ['x'.repeat(72), 'é'.repeat(36), 'e\u0301'.repeat(36)])
      expect(passwordProblem(password)).to.equal(undefined);
    for (const password of ['x'.repeat(73), `${'é'.repeat(36)}x`])
      expect(passwordProblem(password)).to.equal(problem);
  });

  it('is well-formed, without control characters', () => {
    expect(passwordProblem('correct \ud800 horse')).to.equal(
      'must be well-formed Unicode of at most 72 bytes',
    );
    for (const control of ['\0', '\n', '\u007f', '\u0085'])
      expect(passwordProblem(`correct${control}horse`)).to.equal('must not have control characters');
  });
});
