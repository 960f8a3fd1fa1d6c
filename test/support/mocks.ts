import { mock } from 'node:test';

/** Ends all mocks after each test, also after one that failed, whose mocks would fail those that follow. */
export const mochaHooks = { afterEach: () => mock.reset() };
