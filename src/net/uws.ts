import { HEADER_BYTES } from '../limits.ts';

/*
 * The socket library. It reads the size that the head of a request may have from the environment, once, when it is loaded:
 * its own default of 4 KiB is less than proxies let through, and than the cookies of a page on the same host may take.
 */

process.env.UWS_HTTP_MAX_HEADERS_SIZE ||= String(HEADER_BYTES);

export const { default: uWS } = await import('uWebSockets.js');
