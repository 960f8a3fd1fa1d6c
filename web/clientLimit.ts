/** Maximum bytes of the client for browsers, minified and compressed by gzip: the README promises 10 KiB. */
export const CLIENT_LIMIT = 10 * 1024;
