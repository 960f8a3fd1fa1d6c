/**
 * Maximum bytes of the client for browsers, minified and compressed by gzip. It has about 10 KiB: the rest is room for
 * commands, of which each that only reads adds some three bytes.
 */
export const CLIENT_LIMIT = 10.5 * 1024;
