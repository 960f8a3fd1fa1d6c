import { testReactExample } from './reactExample.ts';

describe('examples/react, in StrictMode', function () {
  this.timeout(120_000);
  testReactExample();
});
