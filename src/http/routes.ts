import { deleteMe, updateMe } from './accounts.ts';
import type { Route } from './define.ts';
import { live, metrics, ready } from './health.ts';
import { login, register } from './login.ts';

/** All HTTP calls in the order of the documents. */
export const routes: readonly Route[] = [register, login, updateMe, deleteMe, live, ready, metrics];
