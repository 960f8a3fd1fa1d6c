import { registry } from '../src/commands/registry.ts';
import { serviceRegistry } from '../src/commands/service/registry.ts';
import { asyncapiDocument, asyncapiServiceDocument } from '../src/docs/asyncapi.ts';
import { replaceFile } from '../src/files.ts';
import { clientTypesSource, serviceTypesSource } from './clientTypes.ts';
import { commandFactsSource, serviceFactsSource } from './commandFacts.ts';
import { recordExamples } from './recordExamples.ts';

/*
 * `npm run docs`: writes the types and the facts of commands for the client, records the examples, and writes them, the document
 * that contains them, and that of the service commands.
 */

await replaceFile('src/client/commandFacts.ts', commandFactsSource(registry.values()));
await replaceFile('src/client/commands.ts', clientTypesSource(registry.values()));
await replaceFile('src/client/service/commandFacts.ts', serviceFactsSource(serviceRegistry.values()));
await replaceFile(
  'src/client/service/commands.ts',
  serviceTypesSource(serviceRegistry.values(), registry.values()),
);
const examples = await recordExamples();
await replaceFile('src/docs/examples.json', `${JSON.stringify(examples, null, 2)}\n`);
await replaceFile('asyncapi.yaml', asyncapiDocument(registry.values(), examples));
await replaceFile('docs/asyncapi-service.yaml', asyncapiServiceDocument(serviceRegistry.values(), examples));
