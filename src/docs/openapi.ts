import type { Route } from '../http/define.ts';
export function openapiDocument(_r: readonly Route[]): string {
  return '';
}
