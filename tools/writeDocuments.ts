import { registry } from '../src/commands/registry.ts';
import { asyncapiDocument } from '../src/docs/asyncapi.ts';
import { replaceFile } from '../src/files.ts';
import { clientTypesSource } from './clientTypes.ts';
import { commandFactsSource } from './commandFacts.ts';
import { recordExamples } from './recordExamples.ts';

/*
 * `npm run docs`: writes the types and the facts of commands for the client, records the examples, and writes them and the document that
 * contains them.
 */

await replaceFile('src/client/commandFacts.ts', commandFactsSource(registry.values()));
await replaceFile('src/client/commands.ts', clientTypesSource(registry.values()));
const examples = await recordExamples();
await replaceFile('src/docs/examples.json', `${JSON.stringify(examples, null, 2)}\n`);
await replaceFile('asyncapi.yaml', asyncapiDocument(registry.values(), examples));
