import { expect } from 'chai';
import { httpUrl, socketUrl } from '../../src/client/urls.ts';

describe('the URLs of the typed client', () => {
  const spellings = (base: string) => [base, `${base}/`, `${base}/ws`, `${base}/ws/`];

  it('lead to the same server however its URL is written', () => {
    for (const url of [...spellings('https://chat.example.com'), ...spellings('wss://chat.example.com')]) {
      expect(socketUrl(url), url).to.equal('wss://chat.example.com/ws');
      expect(httpUrl(url, 'auth/login'), url).to.equal('https://chat.example.com/auth/login');
    }
    expect(socketUrl('http://localhost:3000')).to.equal('ws://localhost:3000/ws');
    expect(httpUrl('ws://localhost:3000', 'auth/login')).to.equal('http://localhost:3000/auth/login');
  });

  it('keep the path below which a proxy has the server', () => {
    for (const url of spellings('https://example.com/chat')) {
      expect(socketUrl(url), url).to.equal('wss://example.com/chat/ws');
      expect(httpUrl(url, 'users/me'), url).to.equal('https://example.com/chat/users/me');
    }
  });

  it('have the name of the device, escaped', () => {
    expect(socketUrl('http://localhost', 'a & b')).to.equal('ws://localhost/ws?device=a+%26+b');
    expect(socketUrl('http://localhost')).to.equal('ws://localhost/ws');
  });

  it('are refused if they are none', () => {
    expect(() => socketUrl('nonsense')).to.throw(TypeError);
  });
});
