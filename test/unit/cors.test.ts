import { expect } from 'chai';
import { corsHeaders } from '../../src/http/response.ts';

describe('the CORS headers', () => {
  it('allow every origin if one of the allowed ones is *', () => {
    for (const allowed of [['*'], ['https://a.example.com', '*']])
      for (const origin of ['https://a.example.com', 'https://b.example.com', ''])
        expect(corsHeaders(origin, allowed)).to.deep.equal({ 'Access-Control-Allow-Origin': '*' });
  });

  it('name an allowed origin, and vary by it for all', () => {
    const allowed = ['https://a.example.com', 'https://b.example.com'];
    expect(corsHeaders('https://b.example.com', allowed)).to.deep.equal({
      ...{ 'Access-Control-Allow-Origin': 'https://b.example.com', Vary: 'Origin' },
    });
    for (const origin of ['https://c.example.com', 'https://B.example.com', 'null', ''])
      expect(corsHeaders(origin, allowed), origin).to.deep.equal({ Vary: 'Origin' });
  });
});
