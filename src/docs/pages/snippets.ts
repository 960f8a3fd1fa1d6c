/** A request as a call in the languages of the examples; `connect` on the overview defines what they use. */
export interface Snippet {
  readonly language: string;
  readonly code: string;
}

export function snippetsOf(type: string, params: object | undefined): Snippet[] {
  const isEmpty = !params || Object.keys(params).length === 0;
  return [
    {
      language: 'JavaScript',
      code: `const reply = await client.call('${type}'${isEmpty ? '' : `, ${javascript(params)}`});`,
    },
    { language: 'Python', code: `reply = await call(socket, "${type}", ${python(params ?? {})})` },
    { language: 'Go', code: `reply, err := call(socket, "${type}", ${go(params ?? {})})` },
  ];
}

/** Returns the subscription to a push with the typed client. */
export const subscription = (type: string): string =>
  `client.on('${type}', (push) => console.log(push.senderName, push));`;

function javascript(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(javascript).join(', ')}]`;
  if (typeof value === 'string')
    return `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([name, one]) => `${propertyName(name)}: ${javascript(one)}`);
  return entries.length > 0 ? `{ ${entries.join(', ')} }` : '{}';
}

const propertyName = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : javascript(name));

function python(value: unknown): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return containers(value, python, { list: '[', endOfList: ']', object: '{' });
}

function go(value: unknown): string {
  if (value === null) return 'nil';
  return containers(value, go, { list: '[]any{', endOfList: '}', object: 'object{' });
}

/** Strings and numbers of JSON are those of Python and Go as well. */
function containers(
  value: unknown,
  convert: (value: unknown) => string,
  { list, endOfList, object }: { list: string; endOfList: string; object: string },
): string {
  if (Array.isArray(value)) return `${list}${value.map(convert).join(', ')}${endOfList}`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${convert(one)}`);
  return `${object}${entries.join(', ')}}`;
}
