/**
 * Browsers by their name in a User-Agent, in the order in which they are looked for: Edge and Opera also name Chrome, and
 * most name Safari.
 */
const BROWSERS = Object.entries({
  Edg: 'Edge',
  OPR: 'Opera',
  Firefox: 'Firefox',
  Chrome: 'Chrome',
  Safari: 'Safari',
});
/** Operating systems, in the same way: Android also names Linux, and an iPhone Mac OS X. */
const SYSTEMS = ['Windows', 'Android', 'iPhone', 'iPad', 'Mac OS X', 'Linux'];

/** Returns the browser and the operating system that a User-Agent names; the whole text if it names no browser. */
export function deviceOf(device: string | null): string {
  if (!device) return 'Unknown device';
  const browser = BROWSERS.find(([mark]) => device.includes(`${mark}/`))?.[1];
  const system = SYSTEMS.find((name) => device.includes(name));
  return browser ? [browser, system].filter(Boolean).join(' on ') : device;
}
